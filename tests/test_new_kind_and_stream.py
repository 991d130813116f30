"""One more module and registry row: a made-up kind and a made-up stream are in every output, or in none.

The product is copied, `tests/planted/spread.py` and `visits.py` are put into the copy with a row each, entries and
examples beside them, and the copy's own commands are run. Nothing else of the copy is edited.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.servers import RedisServer
from tests.parts import ROOT, PartMissing, missing
from tests.planted.checks import CHECKS, Sign
from tests.planted.copies import BOTH, LEFT_OUT, Copy, Planted, Refused
from watchroom.admission.models import STREAM_OF
from watchroom.kinds import KINDS
from watchroom.streams import STREAMS

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]

# Of events a kind says nothing.
WITHOUT: list[tuple[Planted, str]] = [
    (row, check) for row in BOTH for check in CHECKS if (row, check) != ("kind", "documents")
]
EXISTING = {"kind": ", ".join(map(repr, KINDS)), "stream": ", ".join(map(repr, STREAMS))}
ENTRIES: dict[Planted, dict[str, str]] = {
    "kind": dict.fromkeys(("call_answer_spread", "visit_wait_spread"), "spread"),
    "stream": dict.fromkeys(("visit_volume", "visit_given_up", "visits_waiting", "visit_wait_spread"), "visits"),
}
PAGE = "docs/reference/catalogue.md"
TYPES_REFUSED = f"found 'visit.arrived'; write one of {next(iter(STREAM_OF))}, "


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Redis for all copies; each copy is a separate force."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server.url
    finally:
        server.kill()


class Copies:
    """Copies by their contents, each made once."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._made: dict[str, Copy] = {}

    def whole(self) -> Copy:
        """With both rows and all entries."""
        return self._get("whole", BOTH, BOTH)

    def without_row(self, row: Planted) -> Copy:
        """Without one row, although entries still refer to it."""
        return self._get(f"no-{row}-row", _others(row), BOTH)

    def without(self, row: Planted) -> Copy:
        """Without one row and the entries that refer to it: a sound product with an unused module."""
        return self._get(f"no-{row}", _others(row), _others(row))

    def _get(self, name: str, rows: tuple[Planted, ...], entries: tuple[Planted, ...]) -> Copy:
        if name not in self._made:
            self._made[name] = Copy(self._folders.mktemp(name), rows, entries)
        return self._made[name]


def _others(row: Planted) -> tuple[Planted, ...]:
    return tuple(each for each in BOTH if each != row)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """The copies that this module's tests share."""
    return Copies(tmp_path_factory)


def signs(check: str, copy: Copy, redis_url: str) -> list[Sign]:
    """What a check finds in a copy; a machine without the embedded servers says how to get them."""
    try:
        return list(CHECKS[check](copy, redis_url))
    except Refused as refused:
        if "pip install" in str(refused):
            missing(str(refused))
        raise


@pytest.mark.parametrize("check", CHECKS)
def test_a_planted_kind_and_a_planted_stream_are_in_every_output(copies: Copies, check: str, redis_url: str) -> None:
    """Each of their measures, with its texts and its number: only the registries know which kinds and streams exist."""
    found = signs(check, copies.whole(), redis_url)
    assert found
    assert [sign.what for sign in found if not sign.is_there] == []


@pytest.mark.parametrize(("row", "check"), WITHOUT)
def test_without_its_row_and_entries_only_its_own_output_is_missing(
    copies: Copies, row: Planted, check: str, redis_url: str
) -> None:
    """The module alone does nothing, and the output of the other one is still there."""
    copy = copies.without(row)
    if (row, check) == ("stream", "replay"):  # the log has visits, and a mapping may name no type that nobody has
        with pytest.raises(Refused, match=re.escape(TYPES_REFUSED)) as refused:
            signs(check, copy, redis_url)
        assert refused.value.code == 2
        return
    found = signs(check, copy, redis_url)
    assert [sign for sign in found if row in sign.needs]
    assert [sign.what for sign in found if sign.is_there is (row in sign.needs)] == []


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("row", BOTH)
def test_with_entries_but_no_row_nothing_starts_and_every_entry_is_reported(
    copies: Copies, row: Planted, check: str, redis_url: str
) -> None:
    """Exit code 2 with each entry's fault and the known names: no output may silently leave out a measure."""
    with pytest.raises(Refused) as refused:
        signs(check, copies.without_row(row), redis_url)
    assert refused.value.code == 2
    said = str(refused.value)
    if (row, check) == ("stream", "replay"):  # the mapping's types are told first
        assert TYPES_REFUSED in said
        return
    for entry, name in ENTRIES[row].items():
        assert f"{entry}.{row}: found '{name}'; write one of {EXISTING[row]} (see {PAGE}#{row})\n" in said
    assert len(said.strip().splitlines()) == len(ENTRIES[row])


def test_a_setting_that_names_the_stream_is_refused_without_its_row(copies: Copies) -> None:
    """A force that believes it feeds visits must not have to discover the mistake on an empty board."""
    with pytest.raises(
        Refused,
        match=rf"^WATCHROOM_STREAMS: .*'visits'; write one of {', '.join(STREAMS)} \(see deploy/settings.md#\w+\)$",
    ) as refused:
        copies.without("stream").run("watchroom", "months", WATCHROOM_STREAMS="calls,visits")
    assert refused.value.code == 2


def test_all_faults_in_the_own_keys_of_a_kind_are_reported_at_once(tmp_path: Path) -> None:
    """Each with its position and what to write; a limit that silently became the default would be a wrong number."""
    copy = Copy(tmp_path)
    for entry, was, by in (
        ("kind", "cap_s = 3600\n", ""),
        ("both", "cap_s = 1200\n", 'cap_s = "long"\nlimit_s = 1\n'),
        ("both", "step_s = 120\n", "step_s = 0\n"),
        ("stream", 'kind = "count"\n', 'kind = "count"\ncap_s = 600\n'),
    ):
        copy.change(f"schemas/measures/planted_{entry}.toml", was, by)
    with pytest.raises(Refused) as refused:
        copy.run("watchroom", "generate")
    assert refused.value.code == 2
    said = str(refused.value)
    for told in (
        (
            "planted_kind.toml: call_answer_spread.cap_s: found nothing; write `cap_s = ...`: kind spread needs it"
            f" (see {PAGE}#cap_s)\n"
        ),
        f"planted_both.toml: visit_wait_spread.cap_s: found 'long'; write a whole number (see {PAGE}#cap_s)\n",
        f"planted_both.toml: visit_wait_spread.step_s: found 0; write a number above 0 (see {PAGE}#step_s)\n",
        "planted_both.toml: visit_wait_spread.limit_s: found an unknown key; write one of alerts, area_windows, at, ",
        "planted_stream.toml: visit_volume.cap_s: found an unknown key; write one of alerts, area_windows, at, ",
    ):
        assert told in said
    assert len(said.strip().splitlines()) == 5
    of_count = next(line for line in said.splitlines() if "visit_volume" in line)
    assert of_count.partition(" (see ")[0].count("cap_s") == 1, "a count has no such key"


def test_a_stream_that_is_fed_by_default_needs_no_setting(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> None:
    """Whether every force feeds a stream is decided by a flag in its module and nowhere else."""
    copy = Copy(tmp_path_factory.mktemp("by-default"), by_default=True)
    for check in ("metrics", "built_in_page", "months_json", "backtest"):
        assert [sign.what for sign in signs(check, copy, redis_url) if not sign.is_there] == []
    fed = [name for name, stream in STREAMS.items() if stream.by_default]
    assert f"`{','.join(fed)},visits`" in copy.read("deploy/settings.md")


def test_the_contracts_of_kinds_streams_and_events_hold_for_the_planted_ones(copies: Copies) -> None:
    """The copy's own tests loop over the registries, so they include the new rows, examples and refused events."""
    copy = copies.whole()
    copy.read("schemas/events/README.md")
    shutil.copytree(ROOT / "tests", copy.root / "tests", ignore=LEFT_OUT, dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", copy.root)
    files = ("kinds/test_kinds.py", "streams/test_streams.py", "admission/test_examples.py", "test_no_names.py")
    paths = [str(copy.root / "tests" / file) for file in files]
    done = copy.run("pytest", "-v", "-p", "no:cacheprovider", "--rootdir", str(copy.root), *paths)
    for case in ("[spread]", "[visits]", "[visit.seen]"):
        assert re.search(rf"{re.escape(case)} PASSED", done), case


def test_the_planted_modules_are_not_part_of_the_product() -> None:
    """If they had become part of the product, the tests above would pass without planting anything."""
    folder = ROOT / "services" / "watchroom"
    assert [path for path in folder.rglob("*.py") if path.stem in ("spread", "visits")] == []
    assert not Path(ROOT / "schemas" / "events" / "visit.seen.json").exists()
