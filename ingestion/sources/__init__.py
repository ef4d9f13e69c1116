"""Where files come from and where their bytes are kept."""
