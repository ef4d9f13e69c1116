"""From a question to the passages that answer it, and the memory of a conversation."""
