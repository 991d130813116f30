"""Returns: figures produced elsewhere, and notes in words. One figure is one entity, and so is one note.

A figure's subject is `measure|label=value,...|period`, with the labels in the catalogue's order; a note's is
`note|<name>`. The latest version of a figure counts: by `as_at`, then by the event's time, then by its id. If that
is a withdrawal, there is no figure. The latest event of a note counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Final, NamedTuple, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import LOOSE, STRICT, Data, LooseText, RequiredText, event
from watchroom.events.messages import shown
from watchroom.events.record import Event
from watchroom.events.times import TimeUnusable, to_ms
from watchroom.rolling.periods import known_period
from watchroom.streams.stamps import earliest_ms, last, latest_ms
from watchroom.streams.stream import FOR_EVER_DAYS, NO_BOUND_DAYS, Board, Stream, Term

FIGURE, WITHDRAWN, NOTE = "return.figure", "return.withdrawn", "return.note"
NOTE_SUBJECT: Final = re.compile(r"note\|[^|]+")
AS_AT: Final = "a day such as 2022-01-21, or RFC 3339 with an offset such as 2022-01-21T09:30:00Z, not before 1990"
FIGURES_LIST, NOTES_LIST = "figures", "notes"  # the sets in which figures and notes can be found

# --------------------------------------------------------------------------------------------- events


def as_at_ms(text: str) -> int:
    """An as-at moment: RFC 3339 with an offset, or a day, which is its first moment in UTC.

    Raises:
        TimeUnusable: It is neither, or before 1990: `is '1899-01-01', which is outside ...; write ...`.
    """
    try:
        return day_ms(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else to_ms(text)
    except TimeUnusable as error:
        said = str(error).partition("; ")[0]  # what it says to write is no day
        what = said.rpartition(f"{said[0]} ")[2]  # behind the text in its quotes, which may be shortened, or a day's
        raise TimeUnusable(f"is {shown(text)}, which {what}; write {AS_AT}") from None


def day_ms(day: str) -> int:
    """The first moment of a day in UTC."""
    return to_ms(f"{day}T00:00:00Z")


def _is_as_at(text: str) -> str:
    try:
        as_at_ms(text)
    except TimeUnusable as error:
        raise ValueError(str(error)) from None
    return text


def _is_period(text: str) -> str:
    known_period(text)
    return text


def _is_day_or_month(text: str) -> str:
    if known_period(text).span not in ("day", "month"):
        raise ValueError(f"is {text!r}; write a day such as 2021-07-19 or a month such as 2021-07")
    return text


AsAt = Annotated[str, Field(max_length=64), AfterValidator(_is_as_at)]
Period = Annotated[str, Field(max_length=64), AfterValidator(_is_period)]
DayOrMonth = Annotated[str, Field(max_length=10), AfterValidator(_is_day_or_month)]
Number = Annotated[float, Field(allow_inf_nan=False)]
By = Annotated[dict[str, str] | None, Field(max_length=8)]


class FigureData(Data):
    """One version of a figure."""

    measure: RequiredText
    """Id of a catalogue entry of kind `figure`."""
    period: Period
    """The period: `2021-12-31`, `2021-11`, `2021-Q4`, `2021`, or a range of months, `2020-12/2021-11`."""
    as_at: AsAt
    """The date of the data: RFC 3339 with an offset, or a day; not before 1990, and at most 5 min after `time`.

    A day stands for its first moment in UTC, which may be up to 65 min after `time`. The latest date counts.
    """
    numerator: Number
    """The number, with no more decimals than the entry keeps. A rate without counts goes here. A share is at most
    100.
    """
    denominator: NotRequired[Number | None]
    """The total that the number is part of, if known."""
    by: NotRequired[By]
    """The value of each label of the measure."""
    note: NotRequired[Annotated[str | None, Field(max_length=4096), LOOSE]]
    """What readers need to know about the figure."""
    reported_by: NotRequired[LooseText]
    """Who reported it: a team or a role, not a person."""


class WithdrawnData(Data):
    """The figure that is withdrawn."""

    measure: RequiredText
    """Id of a catalogue entry of kind `figure`."""
    period: Period
    """The period of the figure."""
    as_at: AsAt
    """The as-at date of the withdrawal; a figure with a later as-at date counts again."""
    by: NotRequired[By]
    """The value of each label of the measure."""


# This form because `from` is a keyword of Python.
NoteData = TypedDict(
    "NoteData",
    {
        "text": Annotated[str, Field(min_length=1, max_length=4096, description="The note.")],
        "from": Annotated[DayOrMonth, Field(description="The first day or month that the note applies to.")],
        "to": NotRequired[
            Annotated[
                DayOrMonth | None,
                Field(
                    description="The last day or month that it applies to, not before `from`; if absent, it has no end."
                ),
            ]
        ],
        "measure": NotRequired[
            Annotated[
                LooseText,
                Field(
                    description="Id of the catalogue entry that the note is about; if absent, it is about all entries."
                ),
            ]
        ],
    },
)
NoteData.__doc__ = "A text note about a period, for one measure or for all."
NoteData.__pydantic_config__ = STRICT  # type: ignore[attr-defined]  # pydantic's way to configure a TypedDict


MODELS: Final = (
    event(FIGURE, FigureData, "A figure that was produced elsewhere, or a later version of one.", needs_data=True),
    event(WITHDRAWN, WithdrawnData, "A figure was withdrawn.", needs_data=True),
    event(NOTE, NoteData, "A text note, or a later version of one.", needs_data=True),
)

# ---------------------------------------------------------------------------------------------- state

# as at (ms), time (ms), event id, whether there is a figure, numerator, denominator ("" where not given), note,
# reported by, source. Numbers are texts, so that no digit is lost and all versions can be put in order.
Version = tuple[int, int, str, bool, str, str, str, str, str]
# time (ms), event id, text, from, to ("": without an end), measure ("": all), source
NoteVersion = tuple[int, str, str, str, str, str, str]


class Return(NamedTuple):
    """What is known about one figure or note.

    `first_ms` is the earliest of its events and of the moment that it is held at: it contributes nothing earlier.
    """

    last_arrival_ms: int
    first_ms: int
    subject: str = ""
    figure: Version | None = None
    note: NoteVersion | None = None


class Subject(NamedTuple):
    """The parts of a figure's subject."""

    measure: str
    by: dict[str, str]
    period: str

    @classmethod
    def of(cls, text: str) -> Subject:
        """Parse the subject of an admitted figure."""
        measure, labels, period = text.split("|")
        return cls(measure, dict(pair.split("=", 1) for pair in labels.split(",") if pair), period)


def fold(state: Return | None, event: Event, arrival_ms: int) -> Return:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Return(arrival_ms, event.time_ms, event.subject)
    first_ms, data = event.time_ms, event.data
    changed: dict[str, object] = {"last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms)}
    if event.type == NOTE:
        note: NoteVersion = (
            event.time_ms, event.id, data["text"], data["from"], data.get("to") or "", data.get("measure") or "",
            event.source,
        )  # fmt: skip
        changed["note"] = last(state.note, note)
    else:
        first_ms = min(first_ms, known_period(Subject.of(event.subject).period).held_at_ms)
        changed["figure"] = last(state.figure, _version(event))
    return state._replace(first_ms=earliest_ms(state.first_ms, first_ms), **changed)  # type: ignore[arg-type]  # each value has its field's type


def _text(number: float | None) -> str:
    """A number with all its digits; empty without one."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else repr(number)


def _version(event: Event) -> Version:
    data = event.data
    numbers = (_text(data.get(name)) for name in ("numerator", "denominator"))
    return (
        as_at_ms(data["as_at"]), event.time_ms, event.id, event.type == FIGURE, *numbers, data.get("note") or "",
        data.get("reported_by") or "", event.source,
    )  # type: ignore[return-value]  # numbers are two  # fmt: skip


# ---------------------------------------------------------------------------------------------- words


def _of_figure(read: Callable[[Return, Version], object]) -> Callable[[Return], object]:
    """Read from the version that counts; None without a figure."""

    def found(state: Return) -> object:
        return read(state, state.figure) if state.figure is not None and state.figure[3] else None

    return found


def _label(state: Return, name: str) -> object:
    return None if state.figure is None else Subject.of(state.subject).by.get(name)


def _lists(state: Return) -> Mapping[str, int]:
    """The list that it is in, by as-at or by the first day of a note's period."""
    if state.note is not None:
        return {f"{NOTES_LIST}|": day_ms(known_period(state.note[3]).first)}
    return {f"{FIGURES_LIST}|": state.figure[0]} if state.figure is not None and state.figure[3] else {}


STREAM: Final = Stream(
    name="returns",
    entity="figure or note",
    models=MODELS,
    state=Return,
    fold=fold,
    is_orphan=lambda _: False,
    moments={
        "as_at": Term("as-at moment of the latest version", _of_figure(lambda _, of: of[0])),
        "held_at": Term(
            "noon of the 15th of the month in which the period ends",
            _of_figure(lambda state, _: known_period(Subject.of(state.subject).period).held_at_ms),
        ),
    },
    values={
        "measure": Term("the measure", _of_figure(lambda state, _: Subject.of(state.subject).measure)),
        "period": Term("the period", _of_figure(lambda state, _: Subject.of(state.subject).period)),
        "numerator": Term("numerator of the latest version", _of_figure(lambda _, of: of[4] or None)),
        "denominator": Term("denominator of the latest version", _of_figure(lambda _, of: of[5] or None)),
    },
    states={},
    label=_label,
    lists=_lists,
    lateness_days=NO_BOUND_DAYS,
    keeping_days=FOR_EVER_DAYS,
    closing_days=30,
    board=Board("returns", "Returns", "Figures that are produced elsewhere, each for its own period.", "7d"),
    by_default=True,
    is_waited_for=False,
)
