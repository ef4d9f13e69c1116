"""What happens to what the views found: fusion, reranking, diversity, neighbours."""
