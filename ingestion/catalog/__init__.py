"""The catalog on SQL: documents, versions, chunks, vectors, file list."""
