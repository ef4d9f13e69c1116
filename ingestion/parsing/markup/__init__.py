"""Web pages, markup, data and plain text."""
