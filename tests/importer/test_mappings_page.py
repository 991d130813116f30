"""The examples on the page about mappings do what the page says."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.importer.extracts import MapText
from tests.parts import ROOT
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapping import check_mapping
from watchroom.importer.summary import missing_times

MAPPINGS = ROOT / "schemas" / "mappings"
PAGE = (MAPPINGS / "README.md").read_text(encoding="utf-8")
SHIPPED = sorted(MAPPINGS.glob("*.toml"))


def blocks(heading: str) -> list[str]:
    """The code blocks under a heading, without their fences."""
    section = PAGE.partition(f"{heading}\n")[2]
    assert section, f"no heading {heading!r}"
    return re.findall(r"```(?:toml)?\n(.*?)```", re.split(r"\n##+ ", section)[0], re.DOTALL)


def test_the_example_of_clock_times_gives_what_the_page_says(map_text: MapText) -> None:
    """00:09:30 of an incident of 3 January is on 4 January, and the summary lists the missing times."""
    rows, words = blocks("### Clock times without a day")
    assert "`missing times: told 1 (1 with en_route), en_route 0 (0 with on_scene), on_scene 0`" in PAGE
    events = [
        {"type": "incident.created", "per": "entity", "time": {"column": "told", "pick": "min"}},
        {"type": "incident.resource_on_scene", "time": "on_scene", "key": "unit", "data": {"unit": "unit"}},
    ]
    made = map_text({"source": "page", "about": "An example.", **tomllib.loads(words), "event": events}, rows)
    assert [rfc3339(event.time_ms) for event in made.events] == [
        "2015-01-03T23:58:40Z", "2015-01-04T00:08:00Z", "2015-01-04T00:09:30Z",
    ]  # fmt: skip
    assert missing_times(made.tally) == "told 1 (1 with en_route), en_route 0 (0 with on_scene), on_scene 0"


def test_the_example_of_a_log_maps_a_log(map_text: MapText) -> None:
    """With a source and a zone it is a complete mapping; the length of a row depends on its event."""
    (words,) = blocks("### A log: each row is one event")
    document = {"source": "page", "about": "An example.", "time": {"zone": "UTC", "formats": "epoch_s"}}
    document |= {"map": {"line": {"values": {"q": "101"}}}, **tomllib.loads(words)}
    made = map_text(document, '1638270010|c.1|q|NONE|ENTERQUEUE||"1|1\n1638270011|NONE|q|A|PAUSE|\n')
    assert [(event.type, dict(event.data)) for event in made.events] == [("call.queued", {"line": "101"})]
    assert made.tally.skipped == {"changes nothing about its call": 1}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_page_names_each_shipped_mapping(path: Any) -> None:
    """An integrator starts from the mapping that looks most like the file."""
    assert f"`{path.name}`" in PAGE


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_key_of_a_shipped_mapping_is_on_the_page(path: Any) -> None:
    """The page alone is enough to write what a shipped mapping contains."""
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    check_mapping(given, path.name)
    words = {word for part in ("file", "force", "time", "entity") for word in given.get(part, {})}
    assert [word for word in sorted(words) if f"`{word}`" not in PAGE] == []


def test_the_example_rows_in_the_comments_can_be_mapped(map_text: MapText) -> None:
    """The first lines of a mapping show what its files look like."""
    for name, types in (
        ("rural-ems-units", ["incident.created", "incident.resource_assigned", "incident.resource_on_scene"]),
        ("asterisk-queue-log", ["call.queued", "call.answered"]),
    ):
        text = (MAPPINGS / f"{name}.toml").read_text(encoding="utf-8")
        rows = re.findall(r"^#   (.*)$", text.partition("\nsource")[0], re.MULTILINE)
        made = map_text(tomllib.loads(text), "\n".join(rows) + "\n")
        assert made.refused == []
        assert [event.type for event in made.events][: len(types)] == types
