"""`/open/<measure>`: the entities behind an open tile, oldest first. Ids, labels and times; nothing else is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import NO_DATA, clock
from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.open_list import Open, OpenList
from watchroom.kinds.labels import capital, title_of, value_title, where_titles
from watchroom.kinds.measure import Label, Measure
from watchroom.wording import duration, exact_duration

MOST_ROWS = 500  # the oldest; more cannot be read


def where_faults(measure: Measure, query: Sequence[tuple[str, str]]) -> list[str]:
    """What is wrong with a filter; empty if every label and value is the measure's."""
    labels = {label.name: label.all_values() for label in measure.labels}
    faults = []
    for name, value in query:
        if name not in labels:
            faults.append(f"no label named {name!r}; the labels are {', '.join(labels)}")
        elif value not in labels[name]:
            faults.append(f"no {name} {value!r}; the values are {', '.join(labels[name])}")
    return faults


def open_page(found: OpenList, where: Mapping[str, str], faults: Sequence[str], zone: ZoneInfo) -> Html:
    """The list, filtered; says above it when it is not live.

    Args:
        found: As of its `now_ms`, read for these label values.
        where: The label values.
        faults: Why the stream is withheld from the boards; empty: it is not.
        zone: Whose clock is shown.
    """
    members = found.members
    shown = f"{where_titles(found.measure, where)}: " if where else ""
    parts = [
        *_not_live(found, faults, zone),
        tag("p", f"{shown}{len(members):,} open", class_="lead"),
        _table(found, members[:MOST_ROWS], zone) if members else tag("p", "None."),
        *_notes(found, len(members)),
    ]
    return tag("article", _filters(found.measure, where), tag("div", *parts, data_figures=""), class_="text wide")


def _not_live(found: OpenList, faults: Sequence[str], zone: ZoneInfo) -> Iterator[Html]:
    if not faults:
        return
    known = "its age is unknown"
    if found.applied_ms is not None:
        known = f"as of {clock(found.applied_ms, zone)}, {duration((found.now_ms - found.applied_ms) / 1000)} ago"
    yield tag("p", tag("strong", "NOT LIVE"), f": {known}. {'; '.join(faults)}.", class_="nodata")


def _filters(measure: Measure, where: Mapping[str, str]) -> Html:
    """Links to the list of each label value, unlisted ones too, and back to all."""
    links = [_filter(measure, {}, "All", current=not where)]
    for label in measure.labels:
        for value in label.all_values():
            picked = {**where, label.name: value}
            current = where.get(label.name) == value
            links.append(_filter(measure, picked, value_title(label, value), current=current))
    return tag("nav", tag("ul", *(tag("li", link) for link in links)), class_="filters", aria_label="Show only")


def _filter(measure: Measure, where: Mapping[str, str], text: str, *, current: bool) -> Html:
    query = f"?{urlencode(where)}" if where else ""
    name = "-".join(["filter", *where.values()])
    return tag("a", text, href=f"/open/{measure.id}{query}", id=name, aria_current="true" if current else None)


def _table(found: OpenList, members: Sequence[Open], zone: ZoneInfo) -> Html:
    labels = found.measure.labels
    timed = bool(found.measure.targets)
    heads = ["Id", *(capital(title_of(label)) for label in labels), "Since", "Age"]
    heads += ["Deadline"] if timed else []
    rows = [_row(each, labels, found.now_ms, zone, timed=timed) for each in members]
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    return tag("table", tag("caption", "Oldest first"), head, tag("tbody", *rows))


def _row(each: Open, labels: Sequence[Label], now_ms: int, zone: ZoneInfo, *, timed: bool) -> Html:
    cells = [tag("td", value_title(label, each.by[label.name])) for label in labels]
    age = duration((now_ms - each.since_ms) / 1000)
    cells += [tag("td", clock(each.since_ms, zone)), tag("td", age, class_="number")]
    if timed:
        cells.append(_deadline(each, now_ms, zone))
    return tag("tr", tag("th", each.subject, scope="row"), *cells)


def _deadline(each: Open, now_ms: int, zone: ZoneInfo) -> Html:
    if each.deadline_ms is None:
        return tag("td", "no target")
    left_ms = each.deadline_ms - now_ms
    when = clock(each.deadline_ms, zone, "%H:%M:%S" if abs(left_ms) < 43_200_000 else "%Y-%m-%d %H:%M:%S")
    if left_ms < 0:
        return tag("td", tag("strong", f"OVERDUE by {duration(-left_ms / 1000)}", class_="overdue"), f" ({when})")
    return tag("td", f"in {duration(left_ms / 1000)} ({when})")


def _notes(found: OpenList, count: int) -> Iterator[Html]:
    if count > MOST_ROWS:
        yield tag("p", f"The {MOST_ROWS} oldest are shown; `watchroom open --measure {found.measure.id}` lists all.")
    if found.gave_up:
        limit = exact_duration(found.measure.give_up_ms / 1000)
        yield tag(
            "p", f"{found.gave_up:,} more are older than {limit}. The feed never closed them; they are not counted."
        )


def unreachable(why: str) -> Html:
    """Shown instead of the list while Redis does not answer."""
    return tag("p", tag("strong", NO_DATA), f": {why}. This list is unavailable.", class_="nodata", role="alert")
