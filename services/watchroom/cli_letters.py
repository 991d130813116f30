"""`watchroom dead-letters`: the events that could not be used."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from watchroom.cli_options import Format, Kafka, messages, results, servers_named, settings_with, whole_number
from watchroom.command_output import as_csv, as_json, print_table, table
from watchroom.errors import ConfigurationInvalid, Fault, WorkFailed
from watchroom.events.reasons import REASONS
from watchroom.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchroom.intake.letters import Letter, Replayed

app = typer.Typer(help="Events that could not be used: list, show, or send them again after a fix.")
Reason = Annotated[str | None, typer.Option(help=f"Only letters with this reason, default all: {', '.join(REASONS)}.")]
Topic = Annotated[str | None, typer.Option(help="Only letters of this topic (watchroom.calls); default: all.")]
COLUMNS = ("topic", "partition", "offset", "arrived", "reason", "detail")


@app.command("list")
def list_(reason: Reason = None, topic: Topic = None, kafka: Kafka = None, output: Format = "table") -> None:
    """List the letters: where each lay, when it first arrived (UTC), and why it was refused."""
    from watchroom.intake.letters import read_letters

    settings = settings_with(kafka)
    wanted = _wanted(reason, topic)
    with servers_named(settings):
        found = read_letters(settings, wanted)
    rows = [{name: getattr(letter, name) for name in COLUMNS} for letter in found]
    if output == "table":
        shown = table(*COLUMNS)
        for row in rows:
            shown.add_row(*(Text(str(value)) for value in row.values()))
        print_table(shown, results)
    else:
        sys.stdout.write(as_json(rows) if output == "json" else as_csv(rows, COLUMNS))


@app.command("show")
def show(
    topic: Annotated[str, typer.Argument(help="Topic of the refused record, for example watchroom.calls.")],
    partition: Annotated[int, typer.Argument(parser=whole_number(0), help="Its partition.")],
    offset: Annotated[int, typer.Argument(parser=whole_number(0), help="Its offset.")],
    kafka: Kafka = None,
) -> None:
    """Show one letter: why, and its record's headers, on standard error; its bytes, untouched, on standard output."""
    from watchroom.intake.letters import read_letters

    settings = settings_with(kafka)
    with servers_named(settings):
        found = read_letters(settings, lambda letter: letter[:3] == (topic, partition, offset))
    if not found:
        raise WorkFailed(
            f"no dead letter of {topic} partition {partition} offset {offset}; `dead-letters list` has all"
        )
    for line in _about(found[0]):
        messages.print(line)
    sys.stdout.buffer.write(found[0].value or b"")


@app.command("replay")
def replay(reason: Reason = None, topic: Topic = None, kafka: Kafka = None) -> None:
    """Send letters to their topics again, with their headers; those that are still wrong come back.

    Fix the cause first: a letter replayed unchanged is refused again, and is then listed twice, by its first record
    and by the one that was sent again. Another replay sends it once. Repeating is harmless: what first came longer
    ago than WATCHROOM_KEEPING_DAYS is not sent, it might count twice.
    """
    from watchroom.intake.letters import read_letters, replay_letters

    settings = settings_with(kafka)
    wanted = _wanted(reason, topic)
    with servers_named(settings):
        done = replay_letters(settings, read_letters(settings, wanted), time.time_ns() // 1_000_000)
    messages.print(_said(done))


def _about(letter: Letter) -> Iterator[str]:
    """What stands beside a letter's bytes; its key as text, with nothing in it that a terminal would obey."""
    yield f"reason: {letter.reason}"
    yield f"detail: {letter.detail}"
    yield f"arrived: {letter.arrived or 'not known'}"
    if letter.names_a_person:
        yield f"bytes: not kept, because they may name a person; there were {letter.length or 0}"
        yield f"SHA-256: {letter.sha256}"
        yield "key: not kept; the record itself is still in its topic, and the runbook RawIdentifier says what to do"
        return
    yield f"bytes: {'cut, only the first 1 MiB was kept' if letter.length else 'whole'}"
    cut = f" (cut, there were {letter.key_length} bytes)" if letter.key_length else ""
    yield f"key: {_text(letter.key)}{cut}"
    if letter.own_headers_length:
        yield f"headers: not all kept, there were {letter.own_headers_length} bytes of them"
    for name, value in letter.own_headers:
        yield f"header {_text(name.encode())}: {_text(value)}"


def _text(said: bytes | None) -> str:
    """Bytes as text, with nothing in it that a terminal would obey."""
    return "none" if said is None else one_line(said.decode("utf-8", "backslashreplace"))


def _wanted(reason: str | None, topic: str | None) -> Callable[[Letter], bool]:
    if reason is not None and reason not in REASONS:
        raise ConfigurationInvalid([Fault("--reason", "", repr(reason), f"one of {', '.join(REASONS)}")])
    return lambda letter: reason in (None, letter.reason) and topic in (None, letter.topic)


def _said(done: Replayed) -> str:
    left_out = {
        "came back from an earlier replay": done.repeats,
        "had been cut": done.cut,
        "have no value, because it may name a person (raw_identifier)": done.not_kept,
        "are larger than their topic takes": done.too_large,
        "first came too long ago (WATCHROOM_KEEPING_DAYS)": done.expired,
        "are of a stream that is not fed here (WATCHROOM_STREAMS)": done.not_fed,
    }
    more = "".join(f"; {count:,} {why}" for why, count in left_out.items() if count)
    return f"sent {done.sent:,} of {sum(done):,} letters again{more}"
