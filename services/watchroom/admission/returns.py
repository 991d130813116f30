"""Checks whether a figure fits the catalogue: its measure, labels, numbers, and the subject that follows. Pure.

The entries are passed in, so that a rebuild with the same catalogue decides the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Final

from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.messages import shown
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.times import AHEAD_MS, to_text
from watchroom.kinds import figure, kind_of, names
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Label, Measure, resolved
from watchroom.rolling.periods import known_period
from watchroom.streams.returns import FIGURE, NOTE, NOTE_SUBJECT, WITHDRAWN, as_at_ms

DAY_AHEAD_MS: Final = AHEAD_MS + 3_600_000
"""How far an as-at that is a day may be after its event's time; not a setting, so that every rebuild decides the same.

A day begins in UTC: in summer, London's day begins an hour earlier. A moment may be `AHEAD_MS` after it.
"""

Check = Callable[[Event], None]


class UnfitFigure(ValueError):
    """DROP: what is wrong with a figure or a note, and what to write instead; `key` is where."""

    def __init__(self, key: str, found: str, write: str, reason: str = reasons.BAD_DATA) -> None:
        super().__init__(f"{key} {found}; write {write}")
        self.reason, self.key, self.found, self.write = reason, key, found, write


def checks(measures: Iterable[Measure]) -> dict[str, Check]:
    """By event type: a check that raises EventRefused for an event that does not fit these entries."""
    every = {measure.id: measure for measure in measures}
    known = figures_of(every.values())

    def check_figure(event: Event) -> None:
        try:
            measure, subject = measure_and_subject(known, event.data)
            check_as_at(event.data["as_at"], event.time_ms)
            if event.type == FIGURE:
                check_numbers(measure, event.data)
        except UnfitFigure as unfit:
            raise EventRefused(unfit.reason, f"{event.type}: {unfit}") from None
        if event.subject != subject:
            raise EventRefused(
                reasons.WRONG_KEY,
                f"the subject is {shown(event.subject)}; write {subject!r}: measure|label=value,...|period",
            )

    def check_note(event: Event) -> None:
        if not NOTE_SUBJECT.fullmatch(event.subject):
            raise EventRefused(
                reasons.WRONG_KEY,
                f"the subject is {shown(event.subject)}; write 'note|' followed by a name for the note,"
                " and use the same key",
            )
        try:
            check_note_data(every, event.data)
        except UnfitFigure as unfit:
            raise EventRefused(unfit.reason, f"{event.type}: {unfit}") from None

    return {FIGURE: check_figure, WITHDRAWN: check_figure, NOTE: check_note}


def figures_of(measures: Iterable[Measure]) -> dict[str, Measure]:
    """The entries of kind figure, by id."""
    return {measure.id: measure for measure in measures if kind_of(measure).reads is Reads.FIGURES}


def measure_and_subject(known: Mapping[str, Measure], data: Mapping[str, Any]) -> tuple[Measure, str]:
    """The entry of a figure, and its subject.

    Args:
        known: Entries of kind figure, by id.
        data: `measure`, `period` (already checked) and `by` of the event.

    Raises:
        UnfitFigure: An unknown measure or label, or a value that is not listed.
    """
    measure = known.get(data["measure"])
    if measure is None:
        raise UnfitFigure(
            "measure",
            f"is {shown(data['measure'])}, which is not a figure",
            _near(data["measure"], known, "the id of a figure"),
        )
    by = data.get("by") or {}
    labels = {label.name: label for label in measure.labels}
    if unknown := next((name for name in by if name not in labels), None):
        raise UnfitFigure(
            f"by.{shown(unknown)}",
            f"is not a label of {measure.id}",
            f"only labels from {', '.join(labels)}" if labels else "no labels: the measure has none",
        )
    found = {label.name: _value(label, by.get(label.name)) for label in measure.labels}
    return measure, names.series(measure.id, found) + f"|{data['period']}"


def _value(label: Label, said: str | None) -> str:
    listed = ", ".join(label.all_values())
    if not said:
        raise UnfitFigure(f"by.{label.name}", "is missing", f"one of {listed}")
    value = resolved(label, said)
    if value == label.other and slug(said) != label.other:
        raise UnfitFigure(
            f"by.{label.name}", f"is {shown(said)}, which is not listed", f"one of {listed}", reasons.WRONG_KEY
        )
    return value


def check_as_at(as_at: str, time_ms: int) -> None:
    """Refuse an as-at in the future, which no version of today or tomorrow could replace.

    Args:
        as_at: A day (its first moment in UTC) or a moment; already validated.
        time_ms: The event's own time.

    Raises:
        UnfitFigure: It is more than five minutes later; for a day, more than an hour and five minutes.
    """
    ahead_ms = DAY_AHEAD_MS if len(as_at) == len("2021-11-30") else AHEAD_MS
    if as_at_ms(as_at) > time_ms + ahead_ms:
        raise UnfitFigure(
            "as_at",
            f"is {as_at!r}, which was in the future at {to_text(time_ms)}",
            f"a day or moment not after {to_text(time_ms + ahead_ms)}",
        )


def check_numbers(measure: Measure, data: Mapping[str, Any]) -> None:
    """Refuse numbers that the entry does not permit.

    Raises:
        UnfitFigure: A number is negative, too large or has too many decimals; a numerator exceeds its denominator, or
            a rate 100 %, without permission.
    """
    numerator, denominator = data[figure.NUMERATOR], data.get(figure.DENOMINATOR)
    decimals = figure.DECIMALS.of(measure)
    for name, number in ((figure.NUMERATOR, numerator), (figure.DENOMINATOR, denominator)):
        if number is None:
            continue
        may_be_negative = name == figure.NUMERATOR and figure.SIGNED.of(measure)
        if number < 0 and not may_be_negative:
            raise UnfitFigure(name, f"is {number:g}", f"0 or more: {measure.id} is not signed")
        if abs(number) * 10**decimals > figure.MOST:
            raise UnfitFigure(name, f"is {number:g}", f"at most {figure.MOST / 10**decimals:g}")
        if (Fraction(str(number)) * 10**decimals).denominator != 1:
            at_most = f"at most {decimals} decimal place{'s' * (decimals != 1)}, as {measure.id} allows"
            write = at_most if decimals else f"a whole number: {measure.id} has no decimal places"
            raise UnfitFigure(name, f"is {number}", write)
    if figure.MAY_EXCEED.of(measure):
        return
    if denominator is None:
        is_change = figure.SIGNED.of(measure)
        if figure.UNIT.of(measure) == figure.PERCENT and not is_change and numerator > 100:
            raise UnfitFigure(
                figure.NUMERATOR,
                f"is {numerator:g} without a denominator, which is more than 100 percent",
                "at most 100, or the counts as numerator and denominator",
            )
    elif numerator > denominator:
        raise UnfitFigure(
            figure.NUMERATOR,
            f"is {numerator:g}, which is greater than the denominator {denominator:g}",
            "a number no larger than the denominator",
        )


def check_note_data(known: Mapping[str, Measure], data: Mapping[str, Any]) -> None:
    """Refuse a note that could not be shown anywhere.

    Args:
        known: All entries by id.
        data: `from`, `to` (each already validated) and `measure` of the event.

    Raises:
        UnfitFigure: Its period ends before it begins, or there is no such measure.
    """
    since, until = data["from"], data.get("to")
    if until and known_period(until).last < known_period(since).first:
        raise UnfitFigure("to", f"is {until!r}, before from {since!r}", f"{since!r} or later, or leave it out")
    about = data.get("measure")
    if about and about not in known:
        raise UnfitFigure(
            "measure",
            f"is {shown(about)}, which is not in the catalogue",
            _near(about, known, "an id from the catalogue"),
        )


def _near(text: str, known: Iterable[str], an_id: str) -> str:
    near = get_close_matches(text[:60], list(known), n=1)
    return f"{near[0]!r}, if that is what you mean" if near else f"{an_id} (schemas/measures/README.md lists them all)"
