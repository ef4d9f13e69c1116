"""How well retrieval finds what people judged to be relevant."""
