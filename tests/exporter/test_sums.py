"""Window sums always equal the total of all their buckets, whatever changes in whatever order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from watchroom.exporter.sums import ByArea, WindowSums
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import LOCAL_HOUR, MONTH, Window, windows_at

LONDON = Calendar("Europe/London")
NOON_MS = 1_637_971_200_000  # 2021-11-27T00:00:00Z
ALL = ("5m", "1h", "6h", "24h", "today", "7d", "28d", MONTH, "12mo", LOCAL_HOUR)
WANTED = {"a": frozenset(ALL), "b": frozenset({"5m", "28d", MONTH}), "c": frozenset({"5m", "28d", MONTH})}
BY_AREA = {"c": ByArea("area", frozenset({"28d", MONTH}))}
FIELDS = (
    "a|line=999|count", "a|line=101|count", "b||part", "unknown|x=y|count", "c|grade=1,area=x|count",
    "c|grade=1,area=y|count",
)  # fmt: skip

content = st.dictionaries(st.sampled_from(FIELDS), st.integers(-3, 5), max_size=4)
forward_ms = st.sampled_from([0, 1_000, 10_000, 25_000, 3_600_000, 86_400_000, 40 * 86_400_000, -20_000])


def plain_sum(stored: dict[str, dict[str, int]], members: frozenset[str], window: Window) -> dict[str, dict[str, int]]:
    """The same sums by adding up every bucket, field by field; for areas also all together."""
    total: dict[str, int] = {}
    for name in members:
        for field, number in stored.get(name, {}).items():
            if window.name in WANTED.get(field.split("|")[0], ()):
                together = field.replace("area=x", "area=all").replace("area=y", "area=all")
                for each in {field, together} if window.name != "5m" else {together}:
                    total[each] = total.get(each, 0) + number
    made: dict[str, dict[str, int]] = {}
    for field, number in total.items():
        if number:
            series, _, what = field.rpartition("|")
            made.setdefault(series, {})[what] = number
    return made


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(forward_ms, st.lists(st.tuples(st.integers(0, 10_000), content), max_size=4)), max_size=8))
def test_incremental_sums_equal_the_total_of_all_buckets(
    steps: list[tuple[int, list[tuple[int, dict[str, int]]]]],
) -> None:
    """New, leaving and changed buckets are integer differences; none may be missed or counted twice."""
    now_ms = NOON_MS
    stored: dict[str, dict[str, int]] = {}
    sums = WindowSums(WANTED, BY_AREA)
    for step_ms, changes in steps:
        now_ms += step_ms
        members = windows_at(now_ms, ALL, LONDON)
        names = sorted(frozenset().union(*members.values()))
        changed = {names[place % len(names)]: fields for place, fields in changes}
        stored.update(changed)
        to_read = sums.missing(members) | changed.keys()
        sums.move(members)
        for name in to_read:
            sums.replace(name, stored.get(name, {}))
        for window, bucket_names in members.items():
            expected = plain_sum(stored, bucket_names, window)
            for series in (
                "a|line=999", "a|line=101", "b|", "unknown|x=y", "c|grade=1,area=x", "c|grade=1,area=y",
                "c|grade=1,area=all",
            ):  # fmt: skip
                assert sums.series(window, series) == expected.get(series, {}), (window, series)


def moved(sums: WindowSums, now_ms: int, stored: dict[str, dict[str, int]]) -> None:
    """One cycle of the exporter over the given buckets."""
    members = windows_at(now_ms, ALL, LONDON)
    to_read = sums.missing(members)
    sums.move(members)
    for name in to_read:
        sums.replace(name, stored.get(name, {}))


def test_an_event_counts_for_the_length_of_the_window_and_then_leaves_it() -> None:
    """A call at 00:00:00 is in the 5 min window until 00:04:59, not at 00:05:00."""
    sums = WindowSums(WANTED)
    stored = {"10s:1637971200": {"a|line=999|count": 1}}
    moved(sums, NOON_MS, stored)
    moved(sums, NOON_MS + 299_999, stored)
    assert sums.series(Window("5m"), "a|line=999") == {"count": 1}
    moved(sums, NOON_MS + 300_000, stored)
    assert sums.series(Window("5m"), "a|line=999") == {}


def test_only_unknown_buckets_have_to_be_read() -> None:
    """After the first reading, only the new 10 s bucket is requested as time passes."""
    sums = WindowSums(WANTED)
    moved(sums, NOON_MS, {})
    assert sums.missing(windows_at(NOON_MS + 9_999, ALL, LONDON)) == set()
    assert sums.missing(windows_at(NOON_MS + 10_000, ALL, LONDON)) == {"10s:1637971210"}


def test_the_version_of_a_measure_changes_only_with_its_sums() -> None:
    """The exposition renders again only what changed; a missed change would show an old number."""
    sums = WindowSums(WANTED)
    moved(sums, NOON_MS, {})
    five, month = Window("5m"), Window(MONTH, "2021-11")
    sums.replace("10s:1637971200", {"a|line=999|count": 1})
    before = sums.version(five, "a"), sums.version(five, "b"), sums.version(month, "a")
    sums.replace("10s:1637971200", {"a|line=999|count": 1})
    assert before == (sums.version(five, "a"), sums.version(five, "b"), sums.version(month, "a"))
    sums.replace("10s:1637971200", {"a|line=999|count": 2})
    assert sums.version(five, "a") > before[0]
    assert (sums.version(five, "b"), sums.version(month, "a")) == before[1:]


def test_the_running_and_the_last_twelve_months_are_shown_and_twelve_complete_months_summed() -> None:
    """`12mo` never includes the running month; `month` has its own label."""
    members = windows_at(NOON_MS, (MONTH, "12mo"), LONDON)
    months = sorted(window.month for window in members if window.name == MONTH)
    assert (months[0], months[-1], len(months)) == ("2020-11", "2021-11", 13)
    assert "month:2021-11" not in members[Window("12mo")]
    assert len(members[Window("12mo")]) == 12
    assert Window(MONTH, "2021-11").labels() == {"window": "month", "month": "2021-11"}


def test_only_the_running_and_the_last_complete_month_are_split_by_area() -> None:
    """When a month begins, the month before the last is no longer split."""
    sums = WindowSums(WANTED, BY_AREA)
    for now_ms, split in ((NOON_MS, {"2021-10", "2021-11"}), (NOON_MS + 5 * 86_400_000, {"2021-11", "2021-12"})):
        moved(sums, now_ms, {})
        shown = {window.month for window in sums.windows if window.name == MONTH and sums.is_by_area(window, "c")}
        assert shown == split
        assert not any(sums.is_by_area(window, "a") for window in sums.windows)
        assert not sums.is_by_area(Window("5m"), "c")
