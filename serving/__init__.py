"""How a language model is obtained, started and called, and the prompts it is given."""
