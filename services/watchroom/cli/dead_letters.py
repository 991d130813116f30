"""`watchroom dead-letters`: the events that could not be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from watchroom import timing
from watchroom.cli.options import Format, Kafka, messages, refuse, results, servers_named, settings_with, whole_number
from watchroom.command_output import as_csv, as_json, print_table, table
from watchroom.entered import name_faults
from watchroom.errors import WorkFailed
from watchroom.events.reasons import REASONS
from watchroom.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchroom.intake.letters import Letter, Replayed

app = typer.Typer(help="Events that could not be used: list them, show one, or send them again.")
Reason = Annotated[
    str | None,
    typer.Option(metavar="REASON", help=f"Only dead letters with this reason: {', '.join(REASONS)}; default: all."),
]
Topic = Annotated[
    str | None,
    typer.Option(metavar="TOPIC", help="Only dead letters from this topic, for example watchroom.calls; default: all."),
]
COLUMNS = ("topic", "partition", "offset", "arrived", "reason", "detail")


@app.command("list")
def list_(reason: Reason = None, topic: Topic = None, kafka: Kafka = None, output: Format = "table") -> None:
    """List dead letters: topic, partition and offset, when each first arrived (UTC), and why it was refused."""
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
    partition: Annotated[int, typer.Argument(parser=whole_number(0), help="Partition of the record.")],
    offset: Annotated[int, typer.Argument(parser=whole_number(0), help="Offset of the record.")],
    kafka: Kafka = None,
) -> None:
    """Show one dead letter: its reason and headers on standard error, its original bytes on standard output."""
    from watchroom.intake.letters import read_letters

    settings = settings_with(kafka)
    with servers_named(settings):
        found = read_letters(settings, lambda letter: letter[:3] == (topic, partition, offset))
    if not found:
        raise WorkFailed(
            f"no dead letter for {topic} partition {partition} offset {offset}; `watchroom dead-letters list` lists all"
        )
    for line in _about(found[0]):
        messages.print(line)
    sys.stdout.buffer.write(found[0].value or b"")


@app.command("replay")
def replay(reason: Reason = None, topic: Topic = None, kafka: Kafka = None) -> None:
    """Send dead letters to their topics again, with their original headers.

    Fix the cause first: a letter that is still invalid is refused again, and the list then shows both records. The
    next replay sends only one of them. It is safe to repeat a replay: letters that first arrived more than
    WATCHROOM_KEEPING_DAYS ago are not sent, because they might be counted twice.
    """
    from watchroom.intake.letters import read_letters, replay_letters

    settings = settings_with(kafka)
    wanted = _wanted(reason, topic)
    with servers_named(settings):
        done = replay_letters(settings, read_letters(settings, wanted), timing.now_ms())
    messages.print(_said(done))


def _about(letter: Letter) -> Iterator[str]:
    """Everything about a letter but its bytes; its key and headers as text that is safe in a terminal."""
    yield f"reason: {letter.reason}"
    yield f"detail: {letter.detail}"
    yield f"arrived: {letter.arrived or 'unknown'}"
    if letter.names_a_person:
        yield f"bytes: not kept, because they may name a person (length: {letter.length or 0})"
        yield f"SHA-256: {letter.sha256}"
        yield "key: not kept; the record is still in its topic: follow the RawIdentifier runbook"
        return
    yield f"bytes: {'only the first 1 MiB was kept' if letter.length else 'complete'}"
    cut = f" (shortened, was {letter.key_length} bytes)" if letter.key_length else ""
    yield f"key: {_text(letter.key)}{cut}"
    if letter.own_headers_length:
        yield f"headers: incomplete (original length: {letter.own_headers_length} bytes)"
    for name, value in letter.own_headers:
        yield f"header {_text(name.encode())}: {_text(value)}"


def _text(said: bytes | None) -> str:
    """Bytes as text that is safe in a terminal."""
    return "none" if said is None else one_line(said.decode("utf-8", "backslashreplace"))


def _wanted(reason: str | None, topic: str | None) -> Callable[[Letter], bool]:
    refuse(name_faults("--reason", [] if reason is None else [reason], REASONS))
    return lambda letter: reason in (None, letter.reason) and topic in (None, letter.topic)


def _said(done: Replayed) -> str:
    left_out = {
        "refused again after an earlier replay": done.repeats,
        "shortened": done.cut,
        "stored without bytes because they may name a person (raw_identifier)": done.not_kept,
        "too large for the topic": done.too_large,
        "too old (WATCHROOM_KEEPING_DAYS)": done.expired,
        "from a stream that is not fed here (WATCHROOM_STREAMS)": done.not_fed,
    }
    more = ", ".join(f"{count:,} {why}" for why, count in left_out.items() if count)
    return f"sent {done.sent:,} of {sum(done):,} dead letters again" + (f"; not sent: {more}" if more else "")
