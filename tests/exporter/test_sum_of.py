"""A sum on the page: what it adds up, and that it is absent if any of its parts is."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from tests.exporter.store import NOON, ExporterStore, names_of, parsed, value
from watchroom.exporter.board.board_page import board_page
from watchroom.exporter.numbers import Numbers
from watchroom.kinds.shown import Shown

DAY_MS = 86_400_000
FIELDS = {
    "call_volume|line=101|count": 3,
    "call_volume|line=999|count": 100,
    "contact_volume|channel=live_chat|count": 2,
    "contact_volume|channel=other|count": 1,
    "contact_volume|channel=partner_agency|count": 100,
    "call_volume_by_class|class=outgoing|count": 4,
    "contact_volume_by_class|class=outgoing|count": 5,
    "contact_volume_by_class|class=unknown|count": 6,
}


@pytest.fixture
def both(store: ExporterStore) -> ExporterStore:
    """Calls and contacts are fed, and both have events."""
    store.settings = store.settings.model_copy(update={"streams": ("calls", "contacts")})
    store.add(NOON, FIELDS)
    return store


def test_it_adds_up_the_series_named_in_its_entry(both: ExporterStore) -> None:
    """101 and every channel except partner agencies; classes are added class by class."""
    samples = both.scrape(NOON)
    assert value(samples, "non_emergency_contacts", window="1h") == 6
    assert value(samples, "non_emergency_contacts", window="month", month="2021-11") == 6
    assert value(samples, "all_contacts_by_class", window="1h", **{"class": "outgoing"}) == 9
    assert value(samples, "all_contacts_by_class", window="1h", **{"class": "unknown"}) == 6
    assert value(samples, "all_contacts_by_class", window="1h", **{"class": "emergency"}) == 0


def test_it_follows_each_of_its_parts(both: ExporterStore) -> None:
    """Text that was reused although one of its two streams had moved on would be an old number."""
    mirror = both.mirror()
    page = both.page(mirror)
    seen = []
    for field in (None, "call_volume|line=101|count", "contact_volume|channel=email|count"):
        both.add(NOON, {field: 1} if field else {})
        mirror.refresh(NOON)
        seen.append(value(parsed(page.text(NOON)), "non_emergency_contacts", window="1h"))
    assert seen == [6, 7, 8]


@pytest.mark.parametrize("stream", ["calls", "contacts"])
def test_it_is_absent_while_one_of_its_streams_is_not_fed(both: ExporterStore, stream: str) -> None:
    """The other stream alone would look like all contacts."""
    both.settings = both.settings.model_copy(update={"streams": (stream,)})
    found = names_of(both.scrape(NOON))
    assert {"watchroom_non_emergency_contacts", "watchroom_all_contacts_by_class"}.isdisjoint(found)
    assert ("watchroom_call_volume" in found, "watchroom_contact_volume" in found) == (
        stream == "calls",
        stream == "contacts",
    )


@pytest.mark.parametrize("stream", ["calls", "contacts"])
def test_it_is_absent_while_one_of_its_streams_is_withheld(both: ExporterStore, stream: str) -> None:
    """A silent feed withholds the sum as well."""
    both.fresh(NOON - 60_000, stream)
    assert "watchroom_non_emergency_contacts" not in names_of(both.scrape(NOON))


def test_it_is_absent_in_a_month_in_which_one_of_its_streams_is_unknown(both: ExporterStore) -> None:
    """October has calls but no contacts, which were only fed from November."""
    both.add(NOON - 40 * DAY_MS, {"call_volume|line=101|count": 7})
    samples = both.scrape(NOON)
    assert value(samples, "call_volume", line="101", window="month", month="2021-10") == 7
    assert value(samples, "non_emergency_contacts", window="month", month="2021-10") is None
    assert value(samples, "non_emergency_contacts", window="month", month="2021-11") == 6


def test_the_built_in_page_shows_the_same_number(both: ExporterStore) -> None:
    """Cards read the sums themselves."""
    mirror = both.mirror()
    mirror.refresh(NOON)
    assert mirror.reading is not None
    measure = both.catalogue.measures["all_contacts_by_class"]
    shown = Shown("number", {}, "1h", "class")
    found = Numbers(both.catalogue, mirror.sums, mirror.reading, NOON).shown(measure, shown)
    assert {number.label: number.value for number in found} == {
        "emergency": 0, "non_emergency": 0, "general_enquiry": 0, "outgoing": 9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("streams", "late", "says"),
    [
        (("calls",), (), "not fed here (stream calls or contacts)"),
        (("calls", "contacts"), ("calls",), "NO DATA: watchroom.calls"),
        (("calls", "contacts"), (), ">6<"),
    ],
)
def test_its_card_says_why_there_is_no_number(
    both: ExporterStore, streams: tuple[str, ...], late: tuple[str, ...], says: str
) -> None:
    """Text for "not fed" and "withheld" differs, for a sum as for other measures."""
    both.settings = both.settings.model_copy(update={"streams": streams})
    if late:
        both.fresh(NOON - 60_000, *late)
    mirror = both.mirror()
    mirror.refresh(NOON)
    board = both.page(mirror).board(NOON)
    page = board_page(board, ZoneInfo("Europe/London"))
    card = page[page.index('id="card-non_emergency_contacts"') :]
    assert says in card[: card.index("</article>")]


def test_its_panels_say_not_fed_while_any_of_its_streams_is_not_fed(both: ExporterStore) -> None:
    """The boards check both streams; an empty panel would look like a broken feed."""
    boards = both.settings.schemas.parent / "grafana" / "dashboards"
    asked = {
        target["expr"]
        for panel in json.loads((boards / "watchroom-contacts.json").read_text(encoding="utf-8"))["panels"]
        for target in panel.get("targets", [])
        if "non_emergency_contacts" in json.dumps(panel)
    }
    assert any('watchroom_stream_fed{stream=~"calls|contacts",' in expr for expr in asked)
