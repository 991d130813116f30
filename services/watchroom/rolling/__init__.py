"""Buckets, windows, bins and the reporting calendar: arithmetic only, no clock, no I/O."""
