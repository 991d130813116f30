"""What the commands share: options, settings, messages and progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from watchroom import command_output
from watchroom.entered import plain_number, plain_whole_number
from watchroom.errors import (
    BrokerRefuses,
    BrokerUnavailable,
    ConfigurationInvalid,
    Fault,
    StoreRefuses,
    StoreUnavailable,
)
from watchroom.redis_url import RedisUrlRefused, parse
from watchroom.settings import Settings, read_settings
from watchroom.wording import printable


class Messages(Console):
    """Prints messages for a person; they may quote text from files and feeds."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401  # what rich takes
        """As rich prints, with control characters in texts escaped."""
        super().print(*(printable(item) if isinstance(item, str) else item for item in objects), **options)


messages = Messages(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
results = Console()

SAY_EVERY_S = 10.0
REDIS_URL_FILE = "watchroom_redis_url"  # the file that may hold this secret, by pydantic's rule

ShowProgress = Callable[[str, int, int | None], None]
"""Called with the name of the work, how much is done, and of how much (None: not known)."""


def default(name: str) -> str:
    """For a help text: the variable behind an option, and its default."""
    return f"WATCHROOM_{name.upper()} (default: {Settings.model_fields[name].default})"


Format = Annotated[command_output.Format, typer.Option("--format", help="Output format.")]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", help="Output format.")]
Kafka = Annotated[
    str | None, typer.Option("--kafka", metavar="HOST:PORT,...", help=f"Kafka brokers. Overrides {default('kafka')}.")
]


def without_password(url: str | None) -> str | None:
    """The URL given to `--redis`, if it can be used and has no password: other users can see a command line."""
    if url is None:
        return None
    try:
        address = parse(url)
    except RedisUrlRefused as error:
        raise ConfigurationInvalid([Fault("--redis", "", error.found, str(error))]) from None
    if address.password:
        write = (
            f"the URL in WATCHROOM_REDIS_URL, or in the file {REDIS_URL_FILE} in the folder"
            " named by WATCHROOM_SECRETS_DIR, and omit --redis"
        )
        raise ConfigurationInvalid(
            [Fault("--redis", "", "a password, which every user of this machine can see", write)]
        )
    return url


RedisUrl = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help=f"Redis URL without a password. Overrides {default('redis_url')}.",
        callback=without_password,
    ),
]


def settings_with(kafka: str | None = None, redis_url: str | None = None) -> Settings:
    """Settings of the environment; options of the command line override them."""
    given = {"kafka": kafka, "redis_url": redis_url}
    return read_settings(**{name: value for name, value in given.items() if value is not None})


def refuse(faults: Sequence[Fault]) -> None:
    """Raise ConfigurationInvalid if there are faults."""
    if faults:
        raise ConfigurationInvalid(faults)


def whole_number(least: int | None = None, most: int | None = None) -> Callable[[object], int]:
    """Reads an option of type int. Python alone would also accept `1_000` and digits of other scripts."""

    def integer(given: object) -> int:
        number = plain_whole_number(str(given))
        if number is None or not (least is None or least <= number) or not (most is None or number <= most):
            bounds = (
                "" if least is None else f" of {least:,} or more" if most is None else f" from {least:,} to {most:,}"
            )
            write = f"a whole number{bounds}, using only the digits 0 to 9"
            raise typer.BadParameter(f"found {str(given)!r}; write {write}")
        return number

    return integer


def number(given: object) -> float:
    """Reads an option of type float. Python would accept `1_000`, `1e3`, `nan` and digits of other scripts too."""
    found = plain_number(str(given))
    if found is None:
        raise typer.BadParameter(
            f"found {str(given)!r}; write a number such as 28 or 0.5, using only the digits 0 to 9"
        )
    return float(found)


@contextmanager
def servers_named(settings: Settings) -> Iterator[None]:
    """Adds to the error of a server that does not answer its address and what to check.

    Errors of the code that sends to Kafka (`replay.produce`) have both already.
    """
    try:
        yield
    except (BrokerRefuses, StoreRefuses):
        raise  # names the server and the setting itself
    except StoreUnavailable as error:
        check = f"check that Redis is running at {settings.redis_shown}, and check --redis or WATCHROOM_REDIS_URL"
        raise StoreUnavailable(f"{error}; {check}") from error
    except BrokerUnavailable as error:
        check = f"check that Kafka is running at {settings.kafka}, and check --kafka or WATCHROOM_KAFKA"
        raise BrokerUnavailable(f"{error}; {check}") from error


@contextmanager
def progress(console: Console = messages, say_every_s: float = SAY_EVERY_S) -> Iterator[ShowProgress]:
    """Progress on standard error: a bar on a terminal, a line from time to time in a log."""
    if not console.is_terminal:
        yield _lines(console, say_every_s)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _lines(console: Console, say_every_s: float) -> ShowProgress:
    said_at_s = time.monotonic()

    def show_progress(what: str, done: int, total: int | None) -> None:
        nonlocal said_at_s
        if time.monotonic() - said_at_s >= say_every_s:
            said_at_s = time.monotonic()
            console.print(f"{what}: {done:,}" + ("" if total is None else f" of {total:,}"))

    return show_progress
