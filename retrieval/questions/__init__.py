"""What happens to a question before it is searched for."""
