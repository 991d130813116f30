"""Random bytes for everything that reads CSV, TOML and JSON; `python -m tests.fuzz --help`."""
