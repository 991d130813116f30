"""The bands of closed months: written once everything is applied, again after a change, the same after a rebuild."""

from __future__ import annotations

import asyncio

import pytest

from tests.flow.servers import RedisServer
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.catalogue.load import load_catalogue
from watchroom.intake.background import MonthBandsWriter
from watchroom.intake.partition import make_store
from watchroom.kafka.topics import Topics
from watchroom.kinds.names import token_month
from watchroom.kinds.tokens import Bands
from watchroom.settings import Settings
from watchroom.store.bands import ReportedBands
from watchroom.store.clear import clear
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

pytestmark = pytest.mark.real

CALLERS = "mobile_callers"
A, B, OLD = (f"k1.{letter * 26}" for letter in "ABC")


def call(number: int, at: str, token: str) -> Happened:
    """A call from a mobile."""
    return Happened("call.queued", f"call-{number}", at, {"line": "101", "cli_type": "mobile", "caller_token": token})


# A called twice in November and B once; one of A's calls turns out to be from a landline after November has closed.
NOVEMBER = (call(1, "2021-11-10T10:00:00Z", A), call(2, "2021-11-30T23:00:00Z", A), call(3, "2021-11-12T10:00:00Z", B))
LATE = Happened("call.ended", "call-2", "2021-12-02T01:00:00Z", {"cli_type": "landline"})
YEAR = tuple(call(100 + number, f"{month}-05T10:00:00Z", OLD) for number, month in enumerate(("2020-12", "2021-06"), 1))


@pytest.fixture
def settings(redis_server: RedisServer) -> Settings:
    """Settings with an empty Redis."""
    return settings_on(redis_server.url)


def write(settings: Settings, at_ms: int = NOW_MS) -> int:
    """One round of the worker's timer; returns how many months it wrote."""

    async def once() -> int:
        catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
        store = make_store(settings, catalogue, Topics({settings.topic(s): 1 for s in STREAMS}, {}))
        try:
            return await MonthBandsWriter(settings, catalogue, store).write("calls", at_ms)
        finally:
            await store.close()

    return asyncio.run(once())


def bands_of(settings: Settings, month: str = "2021-11", *, twelve: bool = False) -> ReportedBands | None:
    """The bands of a month, or of the 12 ending with it."""
    reader = Reader(settings.redis_url, settings.force)
    try:
        held = reader.held_tokens()
        return (held.twelve if twelve else held.month)(CALLERS, month, reader.token_hash)
    finally:
        reader.close()


def test_a_month_is_computed_but_not_closed_until_its_bands_are_written(settings: Settings) -> None:
    """The figures are right at once; whether they are final is shown separately."""
    fill(settings, NOVEMBER)
    found = bands_of(settings)
    assert found is not None
    assert (found.closed, found.both.today) == (False, Bands(1, 1, 0, 1, 2, 0, token_keys=1))
    assert write(settings) > 0
    written = bands_of(settings)
    assert written == found._replace(closed=True)
    assert write(settings) == 0


def test_no_bands_are_written_before_everything_is_applied(settings: Settings) -> None:
    """A stalled partition may hold calls of the month."""
    fill(settings, NOVEMBER)
    assert write(settings, NOW_MS + 11_000) == 0


def test_no_bands_are_written_for_a_month_that_has_not_closed(settings: Settings) -> None:
    """Calls of the last day may arrive for another 24 hours."""
    fill(settings, [call(1, "2022-01-31T10:00:00Z", A)])
    assert write(settings) == 0


def test_a_change_after_the_closing_changes_todays_bands_but_not_the_published_ones(settings: Settings) -> None:
    """The published bands have been reported; the difference is the restatement."""
    fill(settings, NOVEMBER)
    write(settings)
    fill(settings, [LATE])
    assert write(settings) > 0
    found = bands_of(settings)
    assert found is not None
    assert found.both.published == Bands(1, 1, 0, 1, 2, 0, token_keys=1)
    assert found.both.today == Bands(2, 0, 0, 2, 0, 0, token_keys=1)
    (row,) = [row for row in months(settings) if row["measure"] == CALLERS and row["period"] == "2021-11"]
    assert (row["value"], row["numerator"], row["denominator"], row["published_value"]) == (0, 0, 2, 0.5)
    assert (row["tokens_1"], row["published_tokens_2_3"], row["restatements"], row["closed"]) == (2, 1, 1, True)


def test_a_rebuild_gives_the_same_bands(settings: Settings) -> None:
    """Whatever the batches were, and whenever bands were written in between."""
    fill(settings, NOVEMBER)
    write(settings)
    fill(settings, [LATE])
    write(settings)
    first = bands_of(settings)
    clear(settings.redis_url, settings.force)
    fill(settings, [*NOVEMBER, LATE])
    write(settings)
    assert bands_of(settings) == first


def test_twelve_months_are_bands_of_the_year_and_not_the_sum_of_the_months(settings: Settings) -> None:
    """A caller who called once in each of two months has called twice in the year."""
    fill(settings, [*YEAR, *NOVEMBER])
    made = bands_of(settings, twelve=True)
    write(settings)
    found = bands_of(settings, twelve=True)
    assert found is not None
    assert found.both.today == Bands(1, 2, 0, 1, 4, 0, token_keys=1)
    assert (made, found.closed) == (found._replace(closed=False), True)


def test_eleven_months_give_no_bands_of_a_year(settings: Settings) -> None:
    """A feed that began in January must not be reported as a full year."""
    fill(settings, [*YEAR[1:], *NOVEMBER])
    write(settings)
    assert bands_of(settings, twelve=True) is None


def test_the_bands_outlive_the_tokens(settings: Settings) -> None:
    """Tokens are deleted after 13 months; what was published from them stays."""
    fill(settings, [*YEAR, *NOVEMBER])
    write(settings)
    before = bands_of(settings), bands_of(settings, twelve=True)
    reader = Reader(settings.redis_url, settings.force)
    name = token_month(CALLERS, "2020-12")
    reader._redis.delete(reader.keys.tokens(name))
    reader._redis.hdel(reader.keys.token_versions, name)
    reader.close()
    assert write(settings) == 0
    assert (bands_of(settings), bands_of(settings, twelve=True)) == before


def test_bands_of_changed_tokens_are_not_written(settings: Settings) -> None:
    """A step between reading and writing would leave bands that were never true."""
    fill(settings, NOVEMBER)
    reader = Reader(settings.redis_url, settings.force)
    plain = reader.token_hash

    async def racing() -> int:
        catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
        store = make_store(settings, catalogue, Topics({settings.topic(s): 1 for s in STREAMS}, {}))
        writer = MonthBandsWriter(settings, catalogue, store)

        def read_and_change(name: str) -> dict[str, int]:
            found = plain(name)
            reader._redis.hincrby(reader.keys.token_versions, name, 1)
            return found

        writer._reader.token_hash = read_and_change  # type: ignore[method-assign]  # forces the race
        try:
            return await writer.write("calls", NOW_MS)
        finally:
            await store.close()

    assert asyncio.run(racing()) == 0
    reader.close()
