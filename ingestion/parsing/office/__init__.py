"""Office files, old and new."""
