"""From files to a catalog of documents, chunks and vectors."""
