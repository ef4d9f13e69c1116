"""The migrations of the catalog and the conversations."""
