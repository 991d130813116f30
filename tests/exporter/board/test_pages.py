"""What each path of the board answers, with a real Redis filled through the documented keys."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from html import unescape
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.exporter.store import NOON, ExporterStore, value
from tests.flow.servers import RedisServer, pause, resume
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.pages import OPEN_AT_ONCE, BoardPages
from watchroom.exporter.server import Answer, PageRequest
from watchroom.generate.rules.links import open_path
from watchroom.streams import STREAMS

MINUTE = 60_000


class Site:
    """The board's pages at a moment."""

    def __init__(self, store: ExporterStore, now_ms: int = NOON) -> None:
        self.now_ms = now_ms
        mirror = store.mirror()
        mirror.refresh(now_ms)
        pages = BoardPages(store.catalogue, store.page(mirror), store.settings, clock=lambda: self.now_ms)
        self.table = pages.table()

    def get(self, path: str, rest: str = "", **query: str) -> Answer:
        """One answer."""
        return self.table[path](PageRequest(rest, tuple(query.items())))

    def read(self, path: str, rest: str = "", **query: str) -> str:
        """Its text without markup."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.get(path, rest, **query).body)).split())


def test_the_wall_shows_what_a_scrape_shows(store: ExporterStore) -> None:
    """People and Prometheus must get the same evaluation and the same arithmetic."""
    store.waiting("calls_waiting|line=999", {"a": NOON - 48_000, "b": NOON - 3_000})
    store.waiting("incidents_unattended|grade=1,area=stoke", {"INC-1": NOON - 11 * MINUTE, "INC-2": NOON - 16 * MINUTE})
    samples, wall = store.scrape(NOON), Site(store).read("/")
    assert value(samples, "calls_waiting_oldest_seconds", line="999") == 48
    assert "Longest 999 wait (list) 48 s" in wall
    assert "Waiting now (list) 999 2 101 0" in wall
    assert "Deadline within 5 min (list) Grade 1 1 DUE Grade 2 0 Grade 3 0 Deadline" in wall
    assert "Overdue (list) Grade 1 1 LATE Grade 2 0 Grade 3 0" in wall


def test_the_wall_withholds_what_a_scrape_withholds(store: ExporterStore) -> None:
    """11 s after a worker's last step nothing may be read as live, and the age says why."""
    store.waiting("calls_waiting|line=999", {"a": NOON - 48_000})
    site = Site(store)
    assert "NO DATA" not in site.read("/")
    store.fresh(NOON + 11_000, "incidents")
    site = Site(store, NOON + 11_000)
    wall = site.read("/")
    assert "Longest 999 wait (list) NO DATA watchroom.calls: partition 0 is 11.0 s old" in wall
    assert "Data age (state of the feeds) 11 s slowest feed; limit 10 s OLD" in wall
    assert "Overdue (list) Grade 1 0" in wall
    site.now_ms += 20_000  # the mirror has not moved: nothing of it is believed any more
    assert "Data age (state of the feeds) NO DATA" in site.read("/")


def test_the_wall_says_what_changed_if_a_stream_was_counted_under_another_definition(store: ExporterStore) -> None:
    """Its tiles would otherwise send people to a worker, although the workers are healthy."""
    measures = store.catalogue.measures
    other = replace(measures["call_volume"], at="another")
    store.bind("calls", Catalogue({**measures, "call_volume": other}))
    store.fresh(NOON - MINUTE, "calls")
    wall = Site(store).read("/")
    first = "Longest 999 wait (list) NO DATA Redis holds it under a different definition from this exporter's"
    assert f"{first} (measure call_volume changed)" in wall
    assert "Overdue (list) Grade 1 0" in wall


def test_a_silent_feed_is_named_on_the_data_age_tile(store: ExporterStore) -> None:
    """Kafka receives nothing and the worker keeps up with it: everything is applied, yet nothing is known."""
    later_ms = NOON + 105_000
    store.fresh(later_ms)
    store.source_seen(later_ms, *(stream for stream in STREAMS if stream != "calls"))
    wall = Site(store, later_ms).read("/")
    said = "Data age (state of the feeds) 1 min 45 s since last seen; withheld: calls FEED SILENT"
    assert said in wall
    assert value(store.scrape(later_ms), "source_silent", stream="calls", source="acd") == 1
    store.source_seen(later_ms)
    assert "slowest feed; limit 10 s NORMAL" in Site(store, later_ms).read("/")


def test_a_feed_whose_records_have_not_been_read_is_not_called_silent(store: ExporterStore) -> None:
    """While a worker is behind, the tile says OLD; the source's records may still be waiting in Kafka."""
    later_ms = NOON + 105_000
    store.fresh(later_ms, "incidents", "crimes")
    store.source_seen(later_ms, *(stream for stream in STREAMS if stream != "calls"))
    site = Site(store, later_ms)
    assert "Data age (state of the feeds) 1 min 45 s slowest feed; limit 10 s OLD" in site.read("/")
    assert "FEED SILENT" not in site.read("/")
    assert "source acd" not in site.read("/")
    store.client.hdel(store.keys.partition(store.settings.topic("calls"), 0), "fresh_ms")
    store.client.hset(store.keys.partition(store.settings.topic("calls"), 1), "fresh_ms", later_ms)
    assert "FEED SILENT" not in Site(store, later_ms).read("/")


def test_a_list_shows_ids_labels_ages_and_deadlines_oldest_first(store: ExporterStore) -> None:
    """Grade 1 has 15 minutes."""
    store.waiting("incidents_unattended|grade=1,area=stoke", {"INC-2": NOON - 14 * MINUTE})
    store.waiting("incidents_unattended|grade=2,area=tamworth", {"INC-1": NOON - 65 * MINUTE})
    store.waiting("incidents_unattended|grade=ungraded,area=stoke", {"INC-3": NOON - 1_000})
    said = Site(store).read("/open/", "incidents_unattended")
    rows = [
        "3 open Oldest first Id Grade Area Since Age Deadline",
        "INC-1 Grade 2 Tamworth 2021-11-26 22:55:00 1 h 05 min OVERDUE by 5 min 00 s (23:55:00)",
        "INC-2 Grade 1 Stoke 2021-11-26 23:46:00 14 min 00 s in 60 s (00:01:00)",
        "INC-3 Ungraded Stoke 2021-11-26 23:59:59 1 s no target",
    ]
    assert " ".join(rows) in said
    assert "NOT LIVE" not in said


def test_a_list_is_filtered_by_the_labels_of_its_tile(store: ExporterStore) -> None:
    """The 999 tile links to the callers waiting on 999; a filter for an unknown label is refused, not ignored."""
    store.waiting("calls_waiting|line=999", {"C-1": NOON - 9_000})
    store.waiting("calls_waiting|line=101", {"C-2": NOON - 8_000})
    site = Site(store)
    said = site.read("/open/", "calls_waiting", line="999")
    assert "999: 1 open" in said
    assert "C-1" in said
    assert "C-2" not in said
    for query in ({"line": "998"}, {"colour": "red"}):
        answer = site.get("/open/", "calls_waiting", **query)
        assert answer.status == HTTPStatus.BAD_REQUEST
        assert "the labels are" in answer.body or "the values are" in answer.body
        assert "C-1" not in answer.body


def test_every_alert_that_names_a_list_links_to_it(store: ExporterStore) -> None:
    """Whoever is paged at night opens it on a telephone: every path and filter works, also for unlisted areas."""
    site, asked = Site(store), 0
    for measure, alert in store.catalogue.alerts():
        labels = {label.name: label.all_values() for label in measure.labels}
        for split in labels.get(alert.shown.split, ("",)):
            address = urlsplit(open_path(measure, alert, split))
            if address.path:
                answer = site.get("/open/", address.path.removeprefix("/open/"), **dict(parse_qsl(address.query)))
                assert answer.status == HTTPStatus.OK, (alert.name, address)
                asked += 1
        assert bool(address.path) == (measure.kind == "open" or alert.shown.what == "live_within"), alert.name
    assert asked >= 6


def test_a_list_that_is_not_live_says_so_at_the_top(store: ExporterStore) -> None:
    """It may still help somebody who knows how old it is."""
    store.waiting("calls_waiting|line=999", {"C-1": NOON - 9_000})
    said = Site(store, NOON + MINUTE).read("/open/", "calls_waiting")
    assert "NOT LIVE : as of 2021-11-27 00:00:00, 60 s ago." in said
    assert "C-1" in said


def test_a_list_shows_how_many_were_given_up_and_how_many_it_leaves_out(store: ExporterStore) -> None:
    """Otherwise a list of 500 would look complete."""
    store.waiting("calls_waiting|line=999", {f"C-{n}": NOON - n for n in range(501)})
    store.waiting("calls_waiting|line=101", {"lost": NOON - 3_600_001})
    said = Site(store).read("/open/", "calls_waiting")
    assert "501 open" in said
    assert "The 500 oldest are shown" in said
    assert "1 more are older than 1 h" in said
    assert len(re.findall(r"\bC-\d+", said)) == 500


def test_text_from_a_feed_is_escaped(store: ExporterStore) -> None:
    """Ids come from outside."""
    store.waiting("calls_waiting|line=999", {"<script>alert(1)</script>": NOON - 9_000})
    body = Site(store).get("/open/", "calls_waiting").body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)" in body


def test_a_list_without_redis_is_a_503_with_the_reason(store: ExporterStore, redis_server: RedisServer) -> None:
    """An empty list would mean that nobody is waiting."""
    site = Site(store)
    redis_server.kill()
    answer = site.get("/open/", "calls_waiting")
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "NO DATA</strong>: Redis did not answer" in answer.body
    assert "This list is unavailable" in answer.body
    assert "None.</p>" not in answer.body


@pytest.mark.parametrize(
    ("path", "known"),
    [("/open/", "calls_waiting"), ("/measures/", "call_volume"), ("/runbook/", "AnswerTime999Burn")],
)
@pytest.mark.parametrize("asked", ["nothing_such", "../../etc/passwd", "<b>"])
def test_an_unknown_name_is_a_404_that_lists_the_known_ones(
    store: ExporterStore, path: str, known: str, asked: str
) -> None:
    """Somebody who mistyped a name finds the right one; the requested text is not repeated."""
    answer = Site(store).get(path, asked)
    assert answer.status == HTTPStatus.NOT_FOUND
    assert known in answer.body
    assert asked not in answer.body.partition("</head>")[2]


def test_only_open_measures_have_a_list(store: ExporterStore) -> None:
    """A count has no members."""
    assert Site(store).get("/open/", "call_volume").status == HTTPStatus.NOT_FOUND


def test_every_measure_has_a_card_with_its_full_definition(store: ExporterStore) -> None:
    """Definition, exclusions, target and source, from the entry itself."""
    site = Site(store)
    for measure in store.catalogue.measures.values():
        said = site.read("/measures/", measure.id)
        for text in (measure.brief, measure.definition, measure.display.excludes, measure.source):
            assert " ".join(text.split()) in said
        assert f'href="/measures/{measure.id}"' in site.get("/measures").body
    assert "within 15 min (Grade 1); within 1 h (Grade 2)" in site.read("/measures/", "incident_attendance_time")


def test_every_alert_has_a_runbook(store: ExporterStore) -> None:
    """An alert's link opens it at three in the morning: meaning, impact, what to do now."""
    site = Site(store)
    names = [alert.name for _, alert in store.catalogue.alerts()]
    for name in (*names, "RedisDown", "SourceSilent"):
        assert site.get("/runbook/", name).status == HTTPStatus.OK
        assert f'href="/runbook/{name}"' in site.get("/runbook").body
    measure, alert = store.catalogue.alerts()[0]
    said = site.read("/runbook/", alert.name)
    for text in (alert.meaning, alert.impact, *alert.action, measure.brief):
        assert text in said


def test_a_redis_that_hangs_delays_a_few_lists_and_nothing_else(
    store: ExporterStore, redis_server: RedisServer
) -> None:
    """Each list waits in its own thread; the wall still answers, and further lists are refused at once."""
    site = Site(store)
    pause(redis_server.server)
    waiting = [threading.Thread(target=site.get, args=("/open/", "calls_waiting")) for _ in range(OPEN_AT_ONCE)]
    for thread in waiting:
        thread.start()
    refused = site.get("/open/", "calls_waiting")
    assert refused.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "too many lists" in refused.body
    assert "Longest 999 wait" in site.read("/")
    assert all(thread.is_alive() for thread in waiting)
    resume(redis_server.server)
    for thread in waiting:
        thread.join(10)
    assert site.get("/open/", "calls_waiting").status == HTTPStatus.OK


def test_the_style_sheet_the_script_and_the_icon_are_served_from_the_package(store: ExporterStore) -> None:
    """Only files of the package are served, no other file of the machine."""
    site = Site(store)
    assert site.get("/assets/", "board.css").content_type.startswith("text/css")
    assert site.get("/assets/", "board.js").content_type.startswith("text/javascript")
    assert site.get("/assets/", "icon.svg").body.startswith("<svg")
    assert site.get("/assets/", "pages.py").status == HTTPStatus.NOT_FOUND


def test_a_filtered_list_counts_only_given_up_entries_that_match_its_filter(store: ExporterStore) -> None:
    """Twelve forgotten Grade 3 incidents on the Grade 1 list would send somebody looking for them."""
    month_ago = NOON - 31 * 24 * 60 * MINUTE
    store.waiting("incidents_unattended|grade=1,area=stoke", {"INC-1": NOON - MINUTE})
    store.waiting("incidents_unattended|grade=3,area=stoke", {"INC-3": month_ago})
    site = Site(store)
    assert "1 more are older than 30 d" in site.read("/open/", "incidents_unattended")
    assert "more are older" not in site.read("/open/", "incidents_unattended", grade="1")
    assert "INC-1" in site.read("/open/", "incidents_unattended", grade="1")
