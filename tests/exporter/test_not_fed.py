"""A stream that the force does not feed: not published, not waited for, and shown as not fed, whatever Redis holds."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from tests.exporter.store import NOON, ExporterStore, names_of, parsed, value
from watchroom.errors import ConfigurationInvalid
from watchroom.exporter.board.board_page import board_page
from watchroom.exporter.board.pages import BoardPages
from watchroom.exporter.open_list import open_list
from watchroom.exporter.run import health
from watchroom.exporter.server import PageRequest
from watchroom.streams import STREAMS

NOT_FED = tuple(name for name in STREAMS if name != "calls")
YEAR_MS = 365 * 86_400_000


@pytest.fixture
def telephony(store: ExporterStore) -> ExporterStore:
    """Redis holds all streams; all but calls stopped a year ago and are no longer fed."""
    store.fresh(NOON - YEAR_MS, *NOT_FED)
    store.source_seen(NOON - YEAR_MS, *NOT_FED)
    store.client.hset(store.keys.dead_letters, mapping={f"{store.settings.topic('crimes')}|late": 7})
    store.waiting("incidents_unattended|grade=1,area=stoke", {"i1": NOON - 60_000})
    store.settings = store.settings.model_copy(update={"streams": ("calls",)})
    return store


def test_its_only_series_says_that_it_is_not_fed(telephony: ExporterStore) -> None:
    """A figure that is a year old, or a source silent for a year, would page somebody every night."""
    samples = telephony.scrape(NOON)
    assert {s: value(samples, "stream_fed", stream=s) for s in STREAMS} == {"calls": 1, **dict.fromkeys(NOT_FED, 0)}
    of_others = [key for key in samples if any(STREAMS[name].entity in str(key) for name in NOT_FED)]
    assert {name for name, _ in of_others} == {"watchroom_stream_fed"}
    assert value(samples, "stream_withheld", stream="calls") == 0
    assert value(samples, "call_volume", line="999", window="5m") == 0
    assert min(at for (name, _), at in samples.items() if name == "watchroom_applied_timestamp_seconds") == NOON / 1000


def test_a_stream_is_fed_whether_or_not_redis_answers(telephony: ExporterStore) -> None:
    """It is a setting: while Redis is down, the boards still know which tiles should have figures."""
    samples = parsed(telephony.page(telephony.mirror()).text(NOON))
    assert value(samples, "stream_fed", stream="crimes") == 0
    assert names_of(samples) == {"watchroom_redis_up", "watchroom_stream_fed"}


def test_if_it_were_fed_it_would_be_withheld(telephony: ExporterStore) -> None:
    """The tests above prove something only if a stream that is fed behaves differently."""
    telephony.settings = telephony.settings.model_copy(update={"streams": ("calls", "crimes")})
    samples = telephony.scrape(NOON)
    assert value(samples, "stream_withheld", stream="crimes") == 1
    assert value(samples, "stream_fed", stream="crimes") == 1


def wall(store: ExporterStore) -> str:
    """The built-in page."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    return board_page(store.page(mirror).board(NOON), ZoneInfo("Europe/London"))


def test_its_tiles_and_cards_say_that_it_is_not_fed_here(telephony: ExporterStore) -> None:
    """NO DATA would look like a feed that broke, 0 like a quiet night."""
    page = wall(telephony)
    assert "NO DATA" not in page
    assert "NORMAL" in page
    for measure, tile in telephony.catalogue.tiles():
        at = page.index(f'id="tile-{measure.id}-{tile.place}"')
        text = page[at : page.index("</li>", at)]
        assert ("not fed here" in text) == (measure.stream != "calls"), tile.title
        assert ('data-state="unfed"' in text) == (measure.stream != "calls")
    card = page[page.index('id="card-crime_recorded"') :]
    assert "not fed here (stream crimes)" in card[: card.index("</article>")]


def test_the_health_page_names_it(telephony: ExporterStore) -> None:
    """It is listed separately from withheld streams, because nothing is wrong with it."""
    mirror = telephony.mirror()
    mirror.refresh(NOON)
    said = json.loads(health(mirror, telephony.page(mirror)).body)
    assert said["not_fed"] == list(NOT_FED)
    assert set(said["withheld"]) == {"calls"}


def test_its_lists_are_refused_rather_than_empty(telephony: ExporterStore) -> None:
    """`none` would mean that nobody is waiting."""
    with pytest.raises(ConfigurationInvalid, match="of stream incidents, which is not fed here; write a measure of"):
        open_list(telephony.settings, "incidents_unattended", NOON)
    assert open_list(telephony.settings, "calls_waiting", NOON).startswith("Calls waiting: none")
    mirror = telephony.mirror()
    page = telephony.page(mirror)
    pages = BoardPages(telephony.catalogue, page, telephony.settings, clock=lambda: NOON).table()
    body = pages["/open/"](PageRequest("incidents_unattended")).body
    assert "not fed here (stream incidents)" in body
    assert "None." not in body
