"""`python -m watchroom`: the command line, for machines where the script is not on the path."""

from __future__ import annotations

from watchroom.cli import main

if __name__ == "__main__":
    main()
