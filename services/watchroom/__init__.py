"""A live performance monitor for police control rooms."""
