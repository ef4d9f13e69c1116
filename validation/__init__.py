"""Guards on questions and answers, and the match of sentences to sources."""
