"""Every kind of the registry: everything that it names exists, and what other packages rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Final

import pytest
from pydantic import ValidationError

from tests.kinds.made import filled, measure_of
from watchroom.catalogue.entry import EVERY_KIND, MeasureEntry
from watchroom.catalogue.own import shape_of
from watchroom.kinds import KINDS
from watchroom.kinds.columns import COMPLETENESS, VALUE
from watchroom.kinds.kind import Column, Form, Kind, MetricFamily, Over, OwnKey, Reads, Unit


def figures_named(kind: Kind) -> Iterator[str]:
    """Every figure that its metrics, columns and quantities read."""
    of_figures = (family for family in kind.families.values() if family.over is not Over.READING)
    yield from (figure for family in of_figures for _, figure in family.samples)
    yield from (column.figure for column in kind.columns)
    for quantity in kind.quantities.values():
        yield from quantity.counts or (quantity.figure,)


def faults(kind: Kind) -> Iterator[str]:
    """The faults of a kind."""
    yield from _figure_faults(kind)
    yield from _quantity_faults(kind)
    yield from _family_faults(kind)
    yield from _column_faults(kind)
    yield from _key_faults(kind)


def _figure_faults(kind: Kind) -> Iterator[str]:
    if kind.reads is Reads.NOTHING:
        return  # it has no figures at all
    measure = measure_of(kind)
    full = kind.figures(measure, filled(kind), True)
    empty = kind.figures(measure, kind.add_up([]), True)
    for name in figures_named(kind):
        if not isinstance(getattr(full, name, None), int | float):
            yield f"no number {name} of something"
        if not isinstance(getattr(empty, name, "none"), int | float | None):
            yield f"no figure {name} of nothing"
    base = kind.quantities.get(kind.base)
    if base is not None and (getattr(full, base.figure, 0), getattr(empty, base.figure, 1)) != (1, 0):
        yield f"the base {kind.base} does not count"


def _quantity_faults(kind: Kind) -> Iterator[str]:
    lists = {
        "base": (kind.base,) if kind.quantities else (), "card": kind.card, "trends": kind.trends,
        "summary": kind.summary, "by_month": kind.by_month,
    }  # fmt: skip
    for where, named in lists.items():
        yield from (f"{where}: no quantity {what}" for what in named if what not in kind.quantities)
    needed = {
        Form.TALLY: ("card",),
        Form.SUMMARY: ("card", "trends", "summary"),
        Form.NOW: ("card", "trends", "summary"),
        Form.LIST: (),
        Form.FIGURE: (),
        Form.TEXT: (),
    }
    yield from (f"{where}: empty, which a {kind.form.name} shows" for where in needed[kind.form] if not lists[where])
    for what, quantity in kind.quantities.items():
        if (quantity.counts is None) is not bool(quantity.figure):
            yield f"{what}: a figure or two counts, not both and not neither"
        if (quantity.unit is Unit.SHARE) is not (quantity.counts is not None):
            yield f"{what}: a share has counts, and nothing else has"
        for suffix in quantity.counts or (quantity.suffix,):
            if suffix not in kind.families:
                yield f"{what}: no metric {suffix!r}"
            elif quantity.labels not in (labels for labels, _ in kind.families[suffix].samples):
                yield f"{what}: {suffix!r} has no sample {dict(quantity.labels)}"
    if kind.rests_on and "{}" not in kind.rests_on:
        yield "rests_on: no {}"


def _family_faults(kind: Kind) -> Iterator[str]:
    for suffix, family in kind.families.items():
        if not family.samples or any(tuple(labels) != family.further_labels for labels, _ in family.samples):
            yield f"{suffix!r}: its samples have other labels each"
        if (family.over is Over.NOW) is not (kind.reads is Reads.OPEN_SET) or (
            (family.over is Over.OWN_PERIOD) is not (kind.reads is Reads.FIGURES)
        ):
            yield f"{suffix!r}: what is kept in {kind.reads.name} is not {family.over.name}"


def _column_faults(kind: Kind) -> Iterator[str]:
    named = [column.name for column in kind.columns]
    if len(set(named)) < len(named):
        yield "two columns of one name"
    first = [name for name in VALUE if name in named]
    if named[: len(first)] != first or named[:1] != ["value"]:
        yield "value, numerator and denominator do not come first"
    taken = {"unit", *COMPLETENESS}.intersection(named)
    yield from (f"every row has a column {name}" for name in sorted(taken))
    yield from (f"published: no column {name}" for name in kind.published if name not in named)


def _key_faults(kind: Kind) -> Iterator[str]:
    keys = (*kind.needs, *kind.may)
    yield from (f"no key {key} of an entry" for key in keys if key not in MeasureEntry.model_fields)
    yield from (f"every kind has {key}" for key in keys if key in EVERY_KIND)
    if len(set(keys)) < len(keys):
        yield "a key twice"
    yield from _own_key_faults(kind)


def _own_key_faults(kind: Kind) -> Iterator[str]:
    """The examples, and the defaults used instead of them, must be valid in an entry."""
    yield from (
        f"own key {key.name}: entries have it" for key in kind.own_keys if key.name in MeasureEntry.model_fields
    )
    examples = {key.name: key.example for key in kind.own_keys}
    defaults = {key.name: key.default for key in kind.own_keys if key.default is not None}
    for said in (examples, examples | defaults):
        try:
            found = shape_of(kind).model_validate(said).model_dump(mode="json")
        except ValidationError as error:
            yield from (f"own key {item['loc'][0]}: {item['input']!r} is not of its type" for item in error.errors())
            continue
        yield from (
            f"own key {name}: {said[name]!r} is {found[name]!r} in JSON" for name in said if said[name] != found[name]
        )


@pytest.mark.parametrize("key", KINDS)
def test_everything_that_a_kind_names_exists(key: str) -> None:
    """A name that leads nowhere would end a scrape, a report or `make generate` with an AttributeError."""
    assert list(faults(KINDS[key])) == []


def test_every_key_of_an_entry_belongs_to_some_kind() -> None:
    """Nobody could use a key that belongs to no kind."""
    of_kinds = {key for kind in KINDS.values() for key in (*kind.needs, *kind.may)}
    assert {*EVERY_KIND, *of_kinds} == set(MeasureEntry.model_fields)


def _quantity(what: str, **changes: object) -> Callable[[Kind], Kind]:
    def change(kind: Kind) -> Kind:
        changed = replace(kind.quantities[what], **changes)  # type: ignore[arg-type]  # each has its field's type
        return replace(kind, quantities={**kind.quantities, what: changed})

    return change


def test_a_kind_without_quantities_has_no_base_and_no_panel_that_needs_one() -> None:
    """Nothing may query a number that does not exist, or one without its period."""
    for kind in KINDS.values():
        if not kind.quantities:
            assert not any((kind.base, kind.card, kind.trends, kind.summary, kind.by_month))
            assert kind.form in (Form.FIGURE, Form.LIST, Form.TEXT)


BROKEN: Final[dict[str, tuple[str, Callable[[Kind], Kind], str]]] = {
    "a metric without a figure": (
        "count",
        lambda kind: replace(kind, families={**kind.families, "more": MetricFamily("more", (({}, "nowhere"),))}),
        "no number nowhere of something",
    ),
    "a column without a figure": (
        "share",
        lambda kind: replace(kind, columns=(*kind.columns, Column("more", "nowhere"))),
        "no number nowhere of something",
    ),
    "a quantity without a figure": ("duration", _quantity("mean", figure="nowhere"), "no number nowhere of something"),
    "a figure missing if nothing is stored": (
        "count",
        lambda kind: replace(kind, figures=lambda _, stored, __: SimpleNamespace(number=1) if stored else object()),
        "no figure number of nothing",
    ),
    "a base that does not count": ("duration", lambda kind: replace(kind, base="mean"), "the base mean does not count"),
    "an unknown base": ("count", lambda kind: replace(kind, base="nowhere"), "base: no quantity nowhere"),
    "a card without its quantity": ("open", lambda kind: replace(kind, card=("nowhere",)), "card: no quantity nowhere"),
    "a trend without its quantity": (
        "share",
        lambda kind: replace(kind, trends=("nowhere",)),
        "trends: no quantity nowhere",
    ),
    "a summary without its quantity": (
        "duration",
        lambda kind: replace(kind, summary=("nowhere",)),
        "summary: no quantity nowhere",
    ),
    "a month without its quantity": (
        "count",
        lambda kind: replace(kind, by_month=("nowhere",)),
        "by_month: no quantity nowhere",
    ),
    "no summary": ("share", lambda kind: replace(kind, summary=()), "summary: empty, which a SUMMARY shows"),
    "no trend": ("open", lambda kind: replace(kind, trends=()), "trends: empty, which a NOW shows"),
    "a share without counts": (
        "share",
        _quantity("share", counts=None),
        "share: a figure or two counts, not both and not neither",
    ),
    "a number with counts": (
        "share",
        _quantity("share", unit=Unit.NUMBER),
        "share: a share has counts, and nothing else has",
    ),
    "counts without a metric": ("share", _quantity("share", counts=("part", "share")), "share: no metric 'share'"),
    "a quantity without a metric": ("duration", _quantity("mean", suffix="nowhere"), "mean: no metric 'nowhere'"),
    "a quantity without a sample": (
        "duration",
        _quantity("p90", labels={"p": "91"}),
        "p90: 'percentile_seconds' has no sample {'p': '91'}",
    ),
    "a base that is not shown": ("duration", lambda kind: replace(kind, rests_on="of them"), "rests_on: no {}"),
    "samples with different labels": (
        "open",
        lambda kind: replace(
            kind,
            families={
                **kind.families,
                "due": kind.families["due"]._replace(samples=(({}, "open"), ({"a": "1"}, "open"))),
            },
        ),
        "'due': its samples have other labels each",
    ),
    "a window of an open measure": (
        "open",
        lambda kind: replace(kind, families={**kind.families, "": kind.families[""]._replace(over=Over.WINDOWS)}),
        "'': what is kept in OPEN_SET is not WINDOWS",
    ),
    "a column twice": (
        "count",
        lambda kind: replace(kind, columns=(*kind.columns, kind.columns[0])),
        "two columns of one name",
    ),
    "a column before the value": (
        "count",
        lambda kind: replace(kind, columns=(Column("more", "number"), *kind.columns)),
        "value, numerator and denominator do not come first",
    ),
    "a column that every row has": (
        "count",
        lambda kind: replace(kind, columns=(*kind.columns, Column("closed", "number"))),
        "every row has a column closed",
    ),
    "an unknown restated column": (
        "share",
        lambda kind: replace(kind, published=("nowhere",)),
        "published: no column nowhere",
    ),
    "a key that no entry can have": (
        "open",
        lambda kind: replace(kind, may=("nowhere",)),
        "no key nowhere of an entry",
    ),
    "an example that no entry may have": (
        "count",
        lambda kind: replace(kind, own_keys=(OwnKey[object]("limit_s", int, "1"),)),
        "own key limit_s: '1' is not of its type",
    ),
    "an own key that entries have": (
        "share",
        lambda kind: replace(kind, own_keys=(OwnKey("edges_s", int, 1),)),
        "own key edges_s: entries have it",
    ),
    "a default that no entry may have": (
        "count",
        lambda kind: replace(kind, own_keys=(OwnKey[object]("limit_s", int, 1, default="1"),)),
        "own key limit_s: '1' is not of its type",
    ),
    "an own key that JSON does not have": (
        "count",
        lambda kind: replace(kind, own_keys=(OwnKey("since", date, date(2022, 1, 1)),)),
        "own key since: datetime.date(2022, 1, 1) is '2022-01-01' in JSON",
    ),
    "a key of every kind": ("open", lambda kind: replace(kind, may=("tiles",)), "every kind has tiles"),
    "a key that it needs and may have": ("share", lambda kind: replace(kind, may=("at",)), "a key twice"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_kind_that_names_something_missing_is_found(case: str) -> None:
    """The check above in each case in which it fails."""
    key, change, told = BROKEN[case]
    assert told in list(faults(change(KINDS[key])))
