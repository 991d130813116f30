"""Traffic of a control room for the crash test: seeded, of every type, with everything that goes wrong.

Live entities happen around now. Past ones come from a source that is declared `history`: their arrival is
`recordedtime`, so they reach closed months and fill the restatement log. Between them lie repeats,
events out of order, late and future ones, and records that must be refused; header `refused` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.oracle.facts import (
    AREAS,
    ASB_TYPES,
    CATEGORIES,
    FIGURES,
    GROUPS,
    HELD_MS,
    INCIDENT_CATEGORIES,
    NOTED_MS,
    RESOLVED,
    Sent,
)  # fmt: skip
from tests.oracle.histories import ANCHORS_MS, CLASSED, FIRSTS, TELLING, TOKENS, TYPES
from tests.oracle.recompute import FUTURE_MS, LATENESS_MS
from tests.oracle.scales import DAY_MS, HOUR_MS, time_text
from tests.oracle.wire import partition_of, refused_records, value_of

HISTORY = "importer"
REFUSED, ARRIVED = "refused", "watchroom-arrived"
SECOND_MS = 1000
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Outgoing:
    """A record to produce; without a partition, Kafka's own partitioner chooses it."""

    stream: str
    key: bytes
    value: bytes
    headers: Headers
    partition: int | None = None


def traffic(seed: int, count: int, now_ms: int, partitions: int) -> list[Outgoing]:
    """`count` records in the order in which they are sent; entities overlap."""
    random = Random(seed)
    placed: list[tuple[float, Outgoing]] = []
    number = 0
    while len(placed) < count:
        number += 1
        begins = random.uniform(0, 1)
        for record in _entity(random, number, now_ms, partitions):
            # most events of one entity follow each other closely, some come much later
            begins += random.choice((0.0001, 0.0005, 0.002, 0.05)) * random.random()
            placed.append((begins - random.choice((0, 0, 0.002)), record))
    return [record for _, record in sorted(placed[:count], key=lambda pair: pair[0])]


def _entity(random: Random, number: int, now_ms: int, partitions: int) -> Iterator[Outgoing]:
    stream = random.choices(("calls", "contacts", "incidents", "crimes", "returns"), (5, 1, 3, 2, 1))[0]
    if stream == "returns":
        yield from _returned(random, number, now_ms)
        return
    past = random.random() < 0.25
    begins_ms = random.choice(ANCHORS_MS) if past else _recently(random, stream, now_ms)
    types = [random.choice(FIRSTS[stream])] if random.random() < 0.95 else []
    usual = [type_ for type_ in TYPES[stream] if type_ not in FIRSTS[stream] or stream == "calls"]
    types += [type_ for type_ in usual if random.random() < _chance_of(type_)]
    at_ms = begins_ms
    for part, type_ in enumerate(types or usual[-1:]):
        at_ms += random.choice((0, 4_000, 10_000, 60_000, -2_000)) + random.randrange(5_000)
        if past:
            at_ms += random.choice((0, 0, DAY_MS // 2, 12 * DAY_MS if stream != "calls" else 0))
        event = Sent(
            stream, type_, f"{number}-{part}", f"{stream}-{number}", at_ms, now_ms, _data(random, type_, at_ms),
            HISTORY if past else "control-room",
        )  # fmt: skip
        if stream == "calls" and random.random() < 0.05:
            event = replace(event, data={**event.data, "cli_type": 7})
        if past:
            delay_ms = random.choice((0, SECOND_MS, LATENESS_MS[stream] // 2, LATENESS_MS[stream], HOUR_MS))
            event = replace(event, arrival_ms=at_ms + delay_ms)
        yield _outgoing(event)
        if random.random() < 0.05:
            yield _outgoing(event)
        if random.random() < 0.03:
            yield _wrong(random, event, now_ms, partitions)


def _chance_of(type_: str) -> float:
    """How often an entity has an event of this type; some change so much that most entities have none."""
    return 0.1 if type_.endswith(("linked", "cancelled", "callback_accepted")) else 0.6


def _returned(random: Random, number: int, now_ms: int) -> Iterator[Outgoing]:
    """Versions of a figure, live and past, out of order and repeated; or a note, or a figure that is refused."""
    measure, period = random.choice(sorted(FIGURES)), random.choice(sorted(HELD_MS))
    by = {"road_fatalities_by_road_user": {"road_user": "passenger"}, "gun_crime_published": {"area": "stoke"}}
    labels = ",".join(f"{name}={value}" for name, value in by.get(measure, {}).items())
    subject = f"{measure}|{labels}|{period}"
    for part in range(random.randint(1, 4)):
        data: dict[str, Any] = {"measure": measure, "period": period, "by": by.get(measure, {})}
        data["as_at"] = random.choice(("2021-11-08", "2022-01-21", "2022-01-21T00:00:00+00:00"))
        type_ = random.choice(("return.figure", "return.figure", "return.withdrawn"))
        if type_ == "return.figure":
            data["numerator"] = random.randrange(100)
            data["denominator"] = random.choice((None, 100))
        at_ms = now_ms - random.randrange(HOUR_MS, 100 * DAY_MS)
        event = Sent("returns", type_, f"{number}-{part}", subject, at_ms, now_ms, data)
        if random.random() < 0.15:
            said = {"text": "a note", "from": random.choice(sorted(NOTED_MS))}
            event = replace(event, type="return.note", subject=f"note|{number}", data=said)
        yield _outgoing(event)
        if random.random() < 0.2:
            yield _outgoing(event)
        if random.random() < 0.1:
            wrong = replace(event, type="return.figure", data={**data, "measure": "no_such_measure"})
            yield _outgoing(wrong, [(REFUSED, b"bad_data")])


def _recently(random: Random, stream: str, now_ms: int) -> int:
    """Within the last 80 minutes, or 4 to 20 hours ago: never where a 10 s bucket expires while a test runs."""
    ago_ms = random.randrange(80 * 60_000) if random.random() < 0.7 else random.randrange(4 * HOUR_MS, 20 * HOUR_MS)
    if stream != "calls" and random.random() < 0.2:
        ago_ms += DAY_MS * random.randrange(1, 5)
    return now_ms - ago_ms


def _data(random: Random, type_: str, at_ms: int) -> dict[str, Any]:
    stream, _, what = type_.partition(".")
    area = random.choice((None, *AREAS, *AREAS, "County", "Cheshire East"))
    data: dict[str, Any] = {}
    if stream == "call":
        data["line"] = random.choice(("999", "101", None, "0300 123 2345"))
        data["cli_type"] = random.choice((None, None, "landline", "mobile", "Withheld", "satellite"))
        data["class"] = random.choice((*[None] * 9, "emergency", "Non-emergency", "outgoing"))
        data["direction"] = random.choice((*[None] * 14, "outbound"))
        data["caller_token"] = random.choice((None, "k1." + "A" * 26, "k1." + "B" * 26))
    elif stream == "contact":
        if what == "received":
            data["channel"] = random.choice(("live_chat", "Single Online Home", "email", "partner_agency", "letter"))
            data["class"] = random.choice((None, None, "non_emergency", "outgoing"))
    elif stream == "incident":
        data = _incident_data(random, what, area)
    else:
        data = _crime_data(random, what, area, at_ms)
    return {name: value for name, value in data.items() if value is not None}


def _incident_data(random: Random, what: str, area: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {"area": area, "self_initiated": random.choice((None, None, None, None, False, True))}
    if what in ("created", "closed", "reclassified"):
        data["category"] = random.choice((None, *INCIDENT_CATEGORIES, "asb", "asb", "Lost property"))
        data["asb_type"] = random.choice((None, *ASB_TYPES, "Noise"))
        data["address_token"] = random.choice((None, *TOKENS))
        data["lsoa"] = random.choice((None, "E01014309", "E01014310"))
    if what == "graded" or (what == "created" and random.random() < 0.7):
        data["grade"] = random.choice(("1", "2", "3", "routine"))
    if what.startswith("resource_"):
        data["unit"] = random.choice(("ST1", "ST2"))
    if what == "linked":
        data["parent"] = "P-1"
    return data


def _crime_data(random: Random, what: str, area: str | None, at_ms: int) -> dict[str, Any]:
    if what == "outcome_assigned":
        return {"outcome": random.choice((*sorted(RESOLVED), "16", "18", "18", "5", "99"))}
    if what.startswith("suspect_"):
        return {"suspect_token": random.choice(TOKENS)}
    if f"crime.{what}" not in TELLING:
        return {}
    data: dict[str, Any] = {"area": area, "flags": random.choice((None, [], ["knife"], ["online", "domestic_abuse"]))}
    data |= {"victim_gender": random.choice((None, "female", "male")), "victim_token": random.choice((None, *TOKENS))}
    if random.random() < 0.5:
        data["reported_at"] = time_text(at_ms - random.choice((0, HOUR_MS, DAY_MS, DAY_MS + 1, -SECOND_MS)))
    if f"crime.{what}" in CLASSED:
        data["offence_code"] = random.choice(("8N", "34B", "1/4.1/4.10/4.2", "4/1", "48", "28E", "ZZ9"))
        data |= {"group": random.choice((None, *GROUPS)), "category": random.choice((None, *CATEGORIES, "Parking"))}
    return data


def _outgoing(event: Sent, headers: Headers | None = None, partition: int | None = None) -> Outgoing:
    recorded_ms = event.arrival_ms if event.source == HISTORY else None
    return Outgoing(event.stream, event.subject.encode(), value_of(event, recorded_ms), headers or [], partition)


def _wrong(random: Random, event: Sent, now_ms: int, partitions: int) -> Outgoing:
    """A record beside an event: refused for some reason, or a replayed dead letter."""
    match random.randrange(5):
        case 0:
            right = partition_of(event.subject, partitions)
            return _outgoing(event, [(REFUSED, b"wrong_partition")], (right + 1) % partitions)
        case 1:
            late = replace(event, id=f"{event.id}-late", source="control-room", time_ms=now_ms - 45 * DAY_MS)
            return _outgoing(late)
        case 2:
            ahead = replace(event, id=f"{event.id}-ahead", source="control-room", time_ms=now_ms + FUTURE_MS + HOUR_MS)
            return _outgoing(ahead)
        case 3:
            again = replace(event, id=f"{event.id}-again", source="control-room", time_ms=now_ms - 45 * DAY_MS)
            return _outgoing(again, [(ARRIVED, str(again.time_ms + HOUR_MS).encode())])
        case _:
            small = [
                bad for bad in refused_records(event.stream, event.subject, event.time_ms) if len(bad.value) < 2000
            ]
            bad = random.choice(small)
            return Outgoing(event.stream, bad.key, bad.value, [(REFUSED, bad.reason.encode())])
