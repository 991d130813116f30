"""The command line, where all packages meet.

In: what a person types. Out: tables, JSON or CSV on standard output, messages and progress on standard error, and an
exit code: 0 done, 1 the work failed, 2 wrong usage or configuration. It may import every package; no package imports
it. Each command imports its package only when it runs, so that the exporter needs no Faust and `--help` needs neither.

Start with `program` (all commands, and how an error ends one), then `options` (what commands share).
"""

from watchroom.cli.program import app, main

__all__ = ["app", "main"]
