"""`watchroom token`: what identifies people becomes tokens, before it reaches Kafka."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from watchroom.cli_options import messages
from watchroom.events.tokens import Kind
from watchroom.settings import read_settings

if TYPE_CHECKING:
    from watchroom.events.tokeniser import Tokeniser


def token(kind: Annotated[Kind, typer.Option(help="What the lines are.", show_default=False)]) -> None:
    """Turn each line of standard input into a token; an empty line stays empty. Key: WATCHROOM_TOKEN_KEY.

    A line that is none of its kind becomes an empty one; its number, and never its text, is said on standard error,
    the others go on, and the exit code is 1. Telephone numbers without a + are of WATCHROOM_TOKEN_COUNTRY.
    """
    from watchroom.importer.token_key import tokeniser

    raise typer.Exit(_print_tokens(kind, sys.stdin.buffer, tokeniser(read_settings())))


def _print_tokens(kind: Kind, lines: Iterable[bytes], tokeniser: Tokeniser) -> int:
    """Print a token for each line; returns the exit code."""
    from watchroom.events.tokeniser import NotNormalised

    wrong = 0
    for number, line in enumerate(lines, start=1):
        try:
            made = tokeniser.token(kind, line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape"))
        except NotNormalised as error:
            made, wrong = "", 1
            messages.print(f"line {number}: no token: {error}")
        sys.stdout.write(f"{made}\n")
    return wrong
