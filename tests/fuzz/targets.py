"""What reads bytes from outside: each target takes an input, and says in a few words what became of it.

An input is a few byte strings, such as a file and its mapping. Events, refusals and errors of ours are right; anything
else that is raised is a fault, and so is a message that is not one short line.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import xlsxwriter

from tests.admission.made import NOON_MS, admission
from tests.catalogue.folder import LABELS, OF_KIND, with_platform_alerts
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import MOST_CHARS, ConfigurationInvalid, RowRefused
from watchroom.events import reasons
from watchroom.events.record import Record
from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.convert import Conversion
from watchroom.importer.mapping import load_mapping
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.rows import check_files, read_rows
from watchroom.intake.admission import BatchAdmission
from watchroom.intake.dead_letters import letter_for
from watchroom.streams import STREAMS
from watchroom.wording import printable

Input = tuple[bytes, ...]
MOST_CHARS_OF_A_MESSAGE = 10 * MOST_CHARS  # three parts, in which control characters are escaped
MOST_EVENTS = 100_000
SEEDS = Path(__file__).parent / "seeds"
MAPPINGS = ROOT / "schemas" / "mappings"
MEASURES = ROOT / "schemas" / "measures"
EVENTS = ROOT / "schemas" / "events"
_CHANGING = re.compile(r"'[^']*'|\"[^\"]*\"|\d+|0x[0-9a-f]+|\\\S+")


class Wrong(AssertionError):
    """A message that nobody can read, or numbers that do not add up."""


class Target(NamedTuple):
    """A target of the tests: the seeds of its inputs, and what to do with one in a folder of its own."""

    seeds: tuple[Input, ...]
    run: Callable[[Input, Path], str]


def csv_rows(given: Input, folder: Path) -> str:
    """A file under a mapping."""
    content, mapping = given
    words = _mapping(mapping, folder)
    return _outcome(words) if isinstance(words, ConfigurationInvalid) else _converted(content, words, folder)


def toml_mapping(given: Input, folder: Path) -> str:
    """A mapping with a file that some mapping can read: only the order differs from `csv_rows`."""
    mapping, content = given
    return csv_rows((content, mapping), folder)


def workbook(given: Input, folder: Path) -> str:
    """The parts of an Excel workbook, in the order of `PARTS`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in zip(PARTS, given, strict=True):
            archive.writestr(zipfile.ZipInfo(name), content)
    words = _mapping(SHEET_MAPPING, folder)
    if isinstance(words, ConfigurationInvalid):
        raise words
    return _converted(packed.getvalue(), words, folder)


def toml_catalogue(given: Input, folder: Path) -> str:
    """A file of entries, and the labels."""
    entries, labels = given
    (folder / "labels.toml").write_bytes(labels)
    (folder / "measures.toml").write_bytes(entries)
    try:
        catalogue = load_catalogue(with_platform_alerts(folder), ("stoke", "county"))
    except ConfigurationInvalid as error:
        return _outcome(error)
    return f"{len(catalogue.measures)} measures"


def json_record(given: Input, _: Path) -> str:
    """A Kafka record as a worker admits it; value, key, and names and values of headers in turn."""
    value, key, *headers = given
    pairs = tuple(zip((name.decode("utf-8", "replace") for name in headers[::2]), headers[1::2], strict=False))
    said = []
    for stream in STREAMS:
        admitted = ADMISSIONS[stream].admit([Record(5, NOON_MS, key, value, pairs)], known=())
        for refused in admitted.refused:
            if refused.why.reason == reasons.UNREADABLE:
                raise Wrong(refused.why.detail)
            _check_message(refused.why.detail)
            letter_for(f"watchroom.{stream}", 0, refused)
            said.append(f"{refused.why.reason}: {refused.why.detail}")
        for arrived in (arrived for of_one in admitted.by_subject.values() for arrived in of_one):
            json.dumps([arrived.event.subject, dict(arrived.event.data)], ensure_ascii=False).encode()
            said.append(f"{arrived.event.type} {sorted(arrived.event.data)} {arrived.event.ignored}")
        if not any(refused.why.reason == reasons.WRONG_TOPIC for refused in admitted.refused):
            break  # the others would give the same message
    return _CHANGING.sub("", " ".join(said))


@lru_cache(maxsize=100)  # most inputs have the mapping of a seed
def _mapping(content: bytes, folder: Path) -> MappingConfig | ConfigurationInvalid:
    path = folder / "m.toml"
    path.write_bytes(content)
    try:
        return load_mapping(path)
    except ConfigurationInvalid as error:
        return error


def _converted(content: bytes, words: MappingConfig, folder: Path) -> str:
    path = folder / "f.csv"
    path.write_bytes(content)
    refused: list[RowRefused] = []
    conversion = Conversion(words, refused.append, tokens=Tokeniser(b"k" * 32, "k1", "GB"), now_ms=1_800_000_000_000)
    events = 0
    try:
        kept = check_files([path], words)
        for event in conversion.events(read_rows([path], words, kept)):
            json.dumps([*event[:5], dict(event.data)]).encode()
            events += 1
            if events == MOST_EVENTS:  # of rows that stand for many
                return "many events"
    except ConfigurationInvalid as error:
        return _outcome(error)
    tally = conversion.tally
    if tally.used < 0 or (events and not tally.used) or tally.rows < len(refused):
        raise Wrong(f"{tally.rows} rows, {tally.used} used, {tally.refused} refused, {events} events")
    return f"{min(events, 3)} events, {min(tally.used, 3)} used; {_messages(map(str, refused))}"


def _outcome(error: ConfigurationInvalid) -> str:
    if not error.faults:
        raise Wrong("no fault is named")
    return _messages(map(str, error.faults))


def _messages(messages: Iterable[str]) -> str:
    kinds: list[str] = []
    for message in messages:
        _check_message(message)
        kind = _CHANGING.sub("", message.partition(": ")[2])
        if kind not in kinds[:5]:
            kinds.append(kind)
    return " ".join(kinds[:5])


def _check_message(message: str) -> None:
    shown = printable(message)
    shown.encode()
    if not message or len(shown) > MOST_CHARS_OF_A_MESSAGE or len(message.splitlines()) > 1:
        raise Wrong(f"a message of {len(shown)} characters, {len(message.splitlines())} lines: {shown[:300]!r}")


def _tables() -> Iterable[tuple[bytes, bytes]]:
    """Each file of a case with each mapping in its folder."""
    for folder in sorted(SEEDS.iterdir()):
        mappings = sorted(folder.glob("*.toml"))
        for file in sorted(folder.iterdir()):
            if file.suffix != ".toml":
                yield from ((file.read_bytes(), mapping.read_bytes()) for mapping in mappings)


def _shipped() -> Iterable[tuple[bytes, bytes]]:
    """The mappings of the repository, each with a row of empty cells under the columns that it reads."""
    for path in sorted(MAPPINGS.glob("*.toml")):
        words = load_mapping(path)
        columns = words.file.columns or tuple(words.columns())
        rows = [columns, tuple("2021-11-30T17:45:00" for _ in columns), tuple("" for _ in columns)]
        yield "".join(words.file.delimiter.join(row) + "\n" for row in rows).encode(), path.read_bytes()


PARTS = (
    "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels", "[Content_Types].xml", "_rels/.rels",
)  # fmt: skip
SHEET_MAPPING = b"""
source = "acd"
about = "One row is one call."
time.zone = "UTC"
entity.key = "id"
[[event]]
type = "call.queued"
time = "at"
data.line = "line"
"""


def _workbook() -> Input:
    """A sheet with a cell of each type."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    forms = [book.add_format({"num_format": form}) for form in ("yyyy-mm-dd hh:mm", "dd/mm/yyyy", "[h]:mm", "0%")]
    sheet = book.add_worksheet("Calls")
    sheet.write_row("A1", ["id", "line", "at", "day", "length", "part", "sure", "error", "sum"])
    for row in range(1, 4):
        sheet.write_row(row, 0, [row, "999"])
        for column, form in enumerate(forms, 2):
            sheet.write_number(row, column, 44530.7397 / 10 ** (column // 4), form)
        sheet.write_boolean(row, 6, row > 1)
        sheet.write_formula(row, 7, "=1/0", None, "#DIV/0!")
        sheet.write_formula(row, 8, "=1+1", None, 2)
    sheet.merge_range("A6:B8", "merged")
    book.close()
    with zipfile.ZipFile(out) as archive:
        return tuple(archive.read(name) for name in PARTS)


def _records() -> Iterable[Input]:
    for path in sorted((*EVENTS.glob("examples/*.json"), *EVENTS.glob("refused/*.json"))):
        value = path.read_bytes()
        subject = str(json.loads(value).get("subject", "")) if value.lstrip().startswith(b"{") else ""
        yield value, subject.encode()
        compact = json.dumps(json.loads(value)).encode()
        yield (
            compact,
            subject.encode(),
            b"watchroom-arrived",
            str(NOON_MS).encode(),
            b"content-type",
            b"application/json",
        )
    binary = {"specversion": "1.0", "type": "call.queued", "id": "e9", "source": "acd", "time": "2021-10-30T12:00:00Z"}
    headers = [part for name, text in binary.items() for part in (f"ce_{name}".encode(), text.encode())]
    yield b'{"line":"999"}', b"s9", *headers, b"ce_subject", b"s9", b"content-type", b"application/json"


def _entries() -> Iterable[tuple[bytes, bytes]]:
    """One entry of each kind, and each of the shipped entries with everything that belongs to it."""
    yield from ((text.encode(), LABELS.encode()) for text in OF_KIND.values())
    labels = (MEASURES / "labels.toml").read_bytes()
    for path in sorted(MEASURES.glob("*.toml")):
        if path.name not in ("labels.toml", "platform_alerts.toml"):
            parts = re.split(r"(?m)^(?=\[[a-z0-9_]+\]$)", path.read_text(encoding="utf-8"))
            yield from ((part.encode(), labels) for part in parts[1:])


ADMISSIONS = {
    stream: BatchAdmission(f"watchroom.{stream}", 0, admission(stream, history=("acd",)), sources=("acd",))
    for stream in STREAMS
}
TABLES = (*_tables(), *_shipped())
TARGETS = {
    "csv": Target(TABLES, csv_rows),
    "mapping": Target(tuple((mapping, content) for content, mapping in TABLES), toml_mapping),
    "workbook": Target((_workbook(),), workbook),
    "catalogue": Target(tuple(_entries()), toml_catalogue),
    "record": Target(tuple(_records()), json_record),
}
