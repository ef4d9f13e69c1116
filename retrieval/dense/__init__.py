"""Vectors: nearest-neighbour views on FAISS."""
