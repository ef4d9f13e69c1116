"""Orders to the model: in questions, and planted in the passages of documents."""
