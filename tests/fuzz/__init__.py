"""Bytes of nobody's making into what reads CSV, TOML and JSON; `python -m tests.fuzz --help`."""
