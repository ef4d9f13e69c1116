"""Words: BM25 views on Tantivy."""
