"""Measures of tokens on the page: bands over each window, only changes read again, and never a token shown."""

from __future__ import annotations

import json

import pytest

from tests.exporter.store import LONDON, NOON, ExporterStore, Samples, parsed, value
from watchroom.errors import ConfigurationInvalid
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.tokens import PUBLISHED_FOR_MS, TokenWindows
from watchroom.exporter.top_list import top_list
from watchroom.kinds.names import token_day, token_month
from watchroom.store.read import Reader

A, B, C = (f"k1.{letter * 26}" for letter in "ABC")
CALLERS = "mobile_callers"


def count(store: ExporterStore, measure: str, day: str, **tokens: int) -> None:
    """What steps have written for one day."""
    for name in (token_day(measure, day), token_month(measure, day[:7])):
        for token, number in tokens.items():
            store.client.hincrby(store.keys.tokens(name), token, number)
        store.client.hincrby(store.keys.token_versions, name, 1)


class Shown:
    """An exporter that reads the store."""

    def __init__(self, store: ExporterStore) -> None:
        self.store = store
        self.reader = Reader(store.settings.redis_url, store.settings.force)
        self.tokens = TokenWindows(self.reader, store.catalogue, store.settings)
        self.mirror = Mirror(self.reader, store.catalogue, LONDON, store.settings.topics.values(), self.tokens)
        self.page = store.page(self.mirror)

    def refresh(self, at_ms: int = NOON) -> None:
        self.tokens.refresh(at_ms)
        self.mirror.refresh(at_ms)

    def text(self, at_ms: int = NOON) -> str:
        return self.page.text(at_ms)

    def bands(self, window: str, at_ms: int = NOON, **more: str) -> list[float | None]:
        """How many in each band."""
        samples = parsed(self.text(at_ms))
        return [
            value(samples, f"{CALLERS}_tokens", band=band, window=window, **more) for band in ("1", "2_3", "4_plus")
        ]


@pytest.fixture
def shown(store: ExporterStore) -> Shown:
    """Nothing has happened yet."""
    return Shown(store)


def tokens(**numbers: int) -> dict[str, int]:
    """Token letters as whole tokens."""
    return {f"k1.{letter * 26}": number for letter, number in numbers.items()}


def test_the_bands_of_28_days_are_counted_over_all_the_days_together(store: ExporterStore, shown: Shown) -> None:
    """Somebody who called on two days called twice; today counts, the 29th day before does not."""
    count(store, CALLERS, "2021-11-27", **tokens(A=1))
    count(store, CALLERS, "2021-11-01", **tokens(A=1, B=4))
    count(store, CALLERS, "2021-10-31", **tokens(C=1))
    count(store, CALLERS, "2021-10-30", **tokens(D=1))
    shown.refresh()
    assert shown.bands("28d") == [1, 1, 1]
    assert shown.bands("month", month="2021-11") == [0, 1, 1]


def test_an_empty_window_is_0_and_an_empty_past_month_is_absent(shown: Shown) -> None:
    """While there is a feed, no calls is a figure; a month before the feed has none."""
    shown.refresh()
    assert shown.bands("28d") == [0, 0, 0]
    assert shown.bands("month", month="2021-11") == [0, 0, 0]
    assert shown.bands("month", month="2021-10") == [None, None, None]
    assert shown.bands("12mo") == [None, None, None]


def test_an_empty_month_is_no_longer_published_once_it_has_ended(store: ExporterStore, shown: Shown) -> None:
    """Nothing in Redis has changed, only the month: the earlier reading must not stay as its figure."""
    shown.refresh()
    assert shown.bands("month", month="2021-11") == [0, 0, 0]
    december_ms = NOON + 5 * 86_400_000
    store.fresh(december_ms)
    store.source_seen(december_ms)
    shown.refresh(december_ms)
    assert shown.bands("month", december_ms, month="2021-12") == [0, 0, 0]
    assert shown.bands("month", december_ms, month="2021-11") == [None, None, None]


def test_twelve_months_are_absent_until_the_oldest_of_them_is_known(store: ExporterStore, shown: Shown) -> None:
    """Ten months presented as a year would look like a fall in demand."""
    count(store, CALLERS, "2021-10-01", **tokens(A=1))
    shown.refresh()
    assert shown.bands("12mo") == [None, None, None]
    count(store, CALLERS, "2020-11-01", **tokens(A=1))
    shown.refresh()
    assert shown.bands("12mo") == [0, 1, 0]


def test_a_window_with_tokens_of_two_keys_is_withheld(store: ExporterStore, shown: Shown) -> None:
    """With a new key the same telephone has a second token: the window would show half as many repeats."""
    count(store, CALLERS, "2021-11-27", **{A: 2})
    count(store, CALLERS, "2021-11-01", **{A.replace("k1", "k2"): 2})
    shown.refresh()
    assert shown.bands("28d") == [None, None, None]


def test_tokens_that_are_no_longer_read_are_not_published(store: ExporterStore, shown: Shown) -> None:
    """The reading is as of the slowest partition; after three minutes it is not current."""
    count(store, CALLERS, "2021-11-27", **tokens(A=1))
    shown.refresh()
    later_ms = NOON + PUBLISHED_FOR_MS
    store.fresh(later_ms)
    store.source_seen(later_ms)
    shown.mirror.refresh(later_ms)
    assert shown.bands("28d", later_ms - 1) == [1, 0, 0]
    assert shown.bands("28d", later_ms) == [None, None, None]
    assert "call_volume" in shown.text(later_ms)


def test_only_what_changed_is_read_again(store: ExporterStore, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of callers is hundreds of thousands of fields, too many to read every minute."""
    count(store, CALLERS, "2020-11-01", **tokens(A=1))
    count(store, CALLERS, "2021-11-27", **tokens(A=1))
    shown.refresh()
    read: list[str] = []
    plain = shown.reader.token_hash

    def noted(name: str) -> dict[str, int]:
        read.append(name)
        return plain(name)

    monkeypatch.setattr(shown.reader, "token_hash", noted)
    shown.refresh()
    assert read == []
    count(store, CALLERS, "2021-11-27", **tokens(B=1))
    shown.refresh()
    assert sorted(read) == [token_day(CALLERS, "2021-11-27"), token_month(CALLERS, "2021-11")]
    assert shown.bands("28d") == [2, 0, 0]


def test_no_page_shows_a_token(store: ExporterStore, shown: Shown) -> None:
    """As a label it would stay in Prometheus for that server's whole retention."""
    count(store, CALLERS, "2021-11-27", **tokens(A=1))
    count(store, "top_callers", "2021-11-27", **{f"{A}|hospital": 2})
    shown.refresh()
    assert "AAAAAA" not in shown.text()
    assert "top_callers" not in shown.text()


def test_the_list_shows_the_ten_most_frequent_tokens_shortened(store: ExporterStore) -> None:
    """Enough characters to tell ten apart, but not the whole token."""
    for number, letter in enumerate("ABCDEFGHIJK", 1):
        count(store, "top_callers", "2021-11-26", **{f"k1.{letter * 26}|hospital": number})
    rows = json.loads(top_list(store.settings, "top_callers", "28d", NOON, "json"))
    assert [row["rank"] for row in rows] == list(range(1, 11))
    assert rows[0] == {
        "measure": "top_callers", "window": "28d", "rank": 1, "name": "k1.KKKKKK", "caller_org": "hospital",
        "occurrences": 11, "as_of": "2021-11-27T00:00:00.000Z",
    }  # fmt: skip
    text = top_list(store.settings, "top_callers", "28d", NOON)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[:3] == [
        "Most frequent callers, last 28 days", "rank name caller_org occurrences", "1 k1.KKKKKK hospital 11",
    ]  # fmt: skip
    assert "66 in total; 11 different." in text


@pytest.mark.parametrize(
    ("measure", "window", "said"),
    [
        ("call_volume", "28d", "--measure: found 'call_volume', a count; write one of top_callers"),
        ("nothing", "28d", "--measure: found 'nothing'; write one of top_callers"),
        ("top_callers", "5m", "--window: found '5m'; write one of 28d, month, 12mo"),
    ],
)
def test_a_measure_or_window_that_cannot_be_listed_is_reported(
    store: ExporterStore, measure: str, window: str, said: str
) -> None:
    """The message names what exists."""
    with pytest.raises(ConfigurationInvalid, match=said):
        top_list(store.settings, measure, window, NOON)


def test_the_helpers_of_this_module_find_samples() -> None:
    """On an empty page they would find nothing, and the tests above would prove nothing."""
    empty: Samples = {}
    assert value(empty, f"{CALLERS}_tokens", band="1", window="28d") is None
