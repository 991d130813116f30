"""The page as markup: order of tiles, states as text, reasons, other measures. Pure: no server, no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.catalogue.folder import with_platform_alerts
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.board_page import board_page
from watchroom.exporter.board.markup import Html, join, tag
from watchroom.exporter.numbers import Number
from watchroom.exporter.wall import Board, Silence, data_age, other_views, tile_views, withheld
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown
from watchroom.streams import STREAMS

NOON = 1_637_971_200_000  # 2021-11-27T00:00:00Z
LONDON = ZoneInfo("Europe/London")
CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))
Numbers = dict[tuple[str, ...], Number]  # (measure, word), or (measure, word, label value) -> what is asked


def page(
    numbers: Numbers,
    faults: dict[str, list[str]] | None = None,
    *,
    age_ms: int | None = 1_200,
    catalogue: Catalogue = CATALOGUE,
    silence: Silence | None = None,
) -> str:
    """The page with these numbers; every other number is 0 (of 0)."""
    of_streams = {stream: (faults or {}).get(stream, []) for stream in STREAMS}

    def ask(measure: Measure, shown: Shown) -> Sequence[Number]:
        assert not of_streams[measure.stream], "asked for a number that must not be shown"
        of_split = next((label for label in measure.labels if label.name == shown.split), None)
        labels = ("",) if of_split is None else of_split.all_values() if shown.unlisted else of_split.values
        known = numbers.get((measure.id, shown.what), Number("", 0, None, None))
        return [numbers.get((measure.id, shown.what, label), known)._replace(label=label) for label in labels]

    tiles, others = tile_views(catalogue, of_streams, ask), other_views(catalogue, of_streams, ask, lambda _: ())
    age = data_age(age_ms, 10_000, of_streams, silence)
    board = Board("staffs", NOON, age, tiles, others, withheld(of_streams))
    return board_page(board, LONDON)


def tile_of(html: str, title: str) -> str:
    """The markup of one tile, by its title."""
    tiles: list[str] = re.findall(r"<li .*?</li>", html)
    return next(tile for tile in tiles if f">{title}<span" in tile)


def text_of(html: str) -> str:
    """The text that a reader sees in some markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_wall_shows_data_age_first_and_then_the_tiles_of_the_catalogue() -> None:
    """The order is that of the Live board: anyone who knows one wall knows the other."""
    titles = re.findall(r"<h3><a [^>]*>([^<]*)<span", page({}).partition('id="others"')[0])
    assert titles == ["Data age", *(tile.title for _, tile in CATALOGUE.tiles())]


def test_an_overdue_grade_1_tile_has_a_state_and_a_grade_3_tile_has_none() -> None:
    """The eye must go to the waiting emergency, not to the fifty Grade 3 incidents that always wait."""
    overdue = tile_of(page({("incidents_unattended", "overdue"): Number("", 2, None, None)}), "Overdue")
    assert overdue.count('class="word"') == 1
    assert "Grade 1 2 LATE" in text_of(overdue)


def test_a_state_is_shown_as_text_as_well_as_colour() -> None:
    """75 s is beyond the critical limit of a minute; 71 % is low; a tile within its limits says so unobtrusively."""
    html = page(
        {
            ("calls_waiting", "oldest"): Number("", 75.4, None, None),
            ("call_answer_time", "live_within"): Number("", 30 / 42, 30, 42),
        }
    )
    wait, share = tile_of(html, "Longest 999 wait"), tile_of(html, "999 below 10 s, last 15 min")
    assert 'data-state="critical"' in wait
    assert "75 s" in text_of(wait)
    assert text_of(wait).endswith("CRITICAL")
    assert 'data-state="warning"' in share
    assert "71 % 30 of 42, target 90 %" in text_of(share)
    assert text_of(share).endswith("LOW")
    assert text_of(tile_of(html, "Longest 101 wait")).endswith("limits 10 min and 30 min NORMAL")


def test_a_share_of_nothing_is_shown_as_none_and_never_as_a_number() -> None:
    """Nobody was answered in 15 minutes: neither 0 % nor 100 % would be true."""
    html = page({("call_answer_time", "live_within"): Number("", None, 0, 0)})
    share = tile_of(html, "999 below 10 s, last 15 min")
    assert 'data-state="none"' in share
    assert "NONE 0 of 0: nothing to measure" in text_of(share)
    assert "bar-part" not in share


def test_tiles_of_a_withheld_stream_say_no_data_and_why_while_other_streams_are_shown() -> None:
    """Incidents are fresh while calls are not: half a wall of correct figures is still useful."""
    html = page({}, {"calls": ["watchroom.calls: partition 0 is 12.3 s old (limit 10 s)", "source acd was silent"]})
    wait = tile_of(html, "Longest 999 wait")
    assert 'data-state="nodata"' in wait
    assert "NO DATA watchroom.calls: partition 0 is 12.3 s old (limit 10 s) (and 1 more)" in text_of(wait)
    assert "NO DATA" not in tile_of(html, "Overdue")
    assert "NO DATA for calls" in text_of(html)


def test_data_age_says_normal_old_or_no_data() -> None:
    """The first thing to look at; an age is never shown while Redis does not answer."""
    assert text_of(tile_of(page({}, age_ms=10_000), "Data age")).endswith("10 s slowest feed; limit 10 s NORMAL")
    old = tile_of(page({}, age_ms=10_001), "Data age")
    assert 'data-state="critical"' in old
    assert text_of(old).endswith("OLD")
    assert "NO DATA" in text_of(tile_of(page({}, age_ms=None), "Data age"))


@pytest.mark.parametrize(
    ("silence", "said"),
    [
        (None, "1 s withheld: calls WITHHELD"),
        (Silence(("calls",), 105_000), "1 min 45 s since last seen; withheld: calls FEED SILENT"),
        (Silence(("calls",), None), "1 s never seen; withheld: calls FEED SILENT"),
    ],
)
def test_data_age_is_not_normal_while_a_stream_is_withheld(silence: Silence | None, said: str) -> None:
    """A dead feed leaves nothing to apply: by its age alone, all of it is fresh."""
    age = tile_of(page({}, {"calls": ["a reason"]}, silence=silence), "Data age")
    assert 'data-state="critical"' in age
    assert text_of(age).endswith(said)


def test_a_screen_reader_announces_states_but_not_numbers() -> None:
    """People switch off a polite live region that changes every two seconds."""
    calm = re.findall(r'role="status"[^>]*>([^<]*)<', page({("calls_waiting", "open"): Number("", 3, None, None)}))
    also = re.findall(r'role="status"[^>]*>([^<]*)<', page({("calls_waiting", "open"): Number("", 4, None, None)}))
    loud = page({("calls_waiting", "oldest"): Number("", 11, None, None)})
    assert calm == also
    assert "HIGH: Longest 999 wait." in loud


def test_tiles_of_open_measures_link_to_their_list_and_others_to_their_definition() -> None:
    """The link has the tile's own labels, so that the list has as many lines as the tile counts."""
    html = page({})
    assert 'href="/open/calls_waiting?line=999"' in tile_of(html, "Longest 999 wait")
    assert 'href="/open/incidents_unattended"' in tile_of(html, "Overdue")
    assert 'href="/measures/call_volume"' in tile_of(html, "Calls in the last 15 min")


def test_every_measure_without_a_tile_has_its_numbers_and_definition_below_the_wall() -> None:
    """Every measure of the catalogue appears somewhere on the page."""
    html = page({("call_abandonment", "share"): Number("", 0.125, 1, 8)})
    below = html.partition('id="others"')[2]
    tiled = {measure.id for measure, _ in CATALOGUE.tiles()}
    for measure in CATALOGUE.measures.values():
        assert (f'id="card-{measure.id}"' in below) is (measure.id not in tiled), measure.id
    assert "12 % (1 of 8)" in text_of(below)
    assert CATALOGUE.measures["call_abandonment"].definition in unescape(below)


def card_of(html: str, measure_id: str) -> list[tuple[str, ...]]:
    """The rows of one measure's card, each as its cells."""
    card = next(each for each in html.split("<article") if f'id="card-{measure_id}"' in each.partition(">")[0])
    body = card.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [tuple(text_of(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)) for row in rows]


def test_the_rows_of_a_card_add_up_to_its_last_row() -> None:
    """Four calls without a class are still four calls: with the listed classes alone, all 0, nobody would have rung."""
    four = Number("", 4, None, None)
    html = page({("call_volume_by_class", "number", "unknown"): four, ("call_volume_by_class", "number", ""): four})
    rows = dict(row for row in card_of(html, "call_volume_by_class") if len(row) == 2)
    assert rows.pop("all") == "4"
    assert rows.pop("Unknown") == "4"
    assert set(rows.values()) == {"0"}
    assert "Other" not in rows


def test_a_card_has_no_row_for_unlisted_values_while_they_count_nothing() -> None:
    """There are forty cards, and nobody reads a row that is always 0."""
    rows = [row[0] for row in card_of(page({}), "call_volume_by_class")]
    assert rows[-1] == "all"
    assert not {"Unknown", "Other"} & set(rows)


NEW_ENTRY = """
[crime_new_measure]
kind = "count"
stream = "crimes"
at = "recorded"
by = { area = "area" }
windows = ["24h"]
brief = "A new measure"
definition = "Something that nobody counted before."
source = "A test"
"""
NEW_TILE = """
[[crime_new_measure.tiles]]
title = "New on the wall"
place = 12
show = "number"
window = "24h"
"""


def with_entry(folder: Path, entry: str) -> Catalogue:
    """Our measures of crimes, which leave space on the wall, and one more entry."""
    for name in ("labels.toml", "crimes.toml"):
        (folder / name).write_text((ROOT / "schemas" / "measures" / name).read_text())
    (folder / "more.toml").write_text(entry)
    return load_catalogue(with_platform_alerts(folder), ("stoke", "county"))


def test_a_measure_added_to_the_catalogue_appears_on_the_page(tmp_path: Path) -> None:
    """One TOML entry is enough; nothing else is edited. With a tile the measure is also on the wall."""
    below = page({}, catalogue=with_entry(tmp_path, NEW_ENTRY)).partition('id="others"')[2]
    assert "Something that nobody counted before." in below
    assert tile_of(page({}, catalogue=with_entry(tmp_path, NEW_ENTRY + NEW_TILE)), "New on the wall")


def test_the_page_has_a_language_headings_and_landmarks() -> None:
    """Screen readers navigate by them."""
    html = page({})
    assert html.startswith('<!doctype html>\n<html lang="en-GB">')
    for name in ("header", "main", "footer", "nav"):
        assert len(re.findall(f"<{name}[ >]", html)) == 1
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inside_the_page() -> None:
    """A control room's network often reaches nothing else, and the policy header forbids it."""
    html = page({})
    assert not re.findall(r'(?:src|href)="(?!/|#)', html)
    assert not re.findall(r"<style| style=| on[a-z]+=|<script(?! src)", html)


def test_ids_are_unique() -> None:
    """The script finds the element that has to keep the focus by its id."""
    ids = re.findall(r' id="([^"]*)"', page({}))
    assert len(ids) == len(set(ids))


def test_text_is_escaped_whatever_it_contains() -> None:
    """Definitions and ids come from others; only markup that we wrote is treated as markup."""
    assert tag("p", "<b> & co", title='"x"') == '<p title="&quot;x&quot;">&lt;b&gt; &amp; co</p>'
    assert join(tag("b", "x"), Html("<i></i>"), "<") == "<b>x</b><i></i>&lt;"
    assert tag("a", data_of=None, hidden=True, class_="x", draggable=False) == '<a hidden class="x"></a>'
