"""Whether sources support a sentence, or can answer a question at all."""
