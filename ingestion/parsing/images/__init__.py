"""Pictures, by OCR."""
