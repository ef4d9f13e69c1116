"""The entry points: the only code that knows everything."""
