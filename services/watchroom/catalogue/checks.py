"""Checks of an entry, other than those of keys and types.

Each check yields (key, what was found, what to write instead). If keys or types of an entry are wrong too, every check
that does not need them still runs, so that all faults are listed at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from watchroom.catalogue.entry import MeasureEntry, condition, keys_of
from watchroom.catalogue.metrics import PLATFORM
from watchroom.kinds import KINDS, columns, names
from watchroom.kinds.measure import AREA, Condition, Label
from watchroom.rolling.windows import WINDOWS
from watchroom.streams import STREAMS
from watchroom.streams.returns import FIGURES_LIST, NOTES_LIST
from watchroom.streams.stream import Stream

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
LABELS_OF_OURS = (
    "window", "month", "span", "p", "within", "weeks_ago", "topic", "partition", "source", "stream", "force", "job",
    "instance",
)  # fmt: skip
ROW_COLUMNS = (*columns.HEAD, *columns.FIGURES)  # the other columns of a row in a report
SUFFIXES = tuple(dict.fromkeys(suffix for kind in KINDS.values() for suffix in kind.families if suffix))
RESERVED = (names.ORPHANS, FIGURES_LIST, NOTES_LIST)  # Redis uses these names for something else
OF_HISTOGRAMS = ("count", "sum", "bucket")  # Prometheus keeps these endings for histograms
PLATFORM_NAMES = frozenset(family.name for family in PLATFORM)

Found = Iterator[tuple[str, str, str]]  # key, what was found, what to write


Labels = Mapping[str, Label]  # by name


def id_faults(name: str, ids: Collection[str]) -> Found:
    """Ids that do not work as Redis fields and metric names, or that collide with another there."""
    if not NAME.fullmatch(name) or name in RESERVED:
        write = f"an id made up of at most 60 lower-case letters, digits and _, other than {', '.join(RESERVED)}"
        yield "", repr(name), write
    if taken := [metric for suffix in ("", *SUFFIXES) if (metric := names.metric(name, suffix)) in PLATFORM_NAMES]:
        yield "", repr(name), f"another id: the platform already has the metric {taken[0]}"
    if name.endswith(tuple(f"_{ending}" for ending in OF_HISTOGRAMS)):
        yield "", repr(name), f"an id that does not end in _{name.rpartition('_')[2]}, which is reserved for histograms"
    for suffix in SUFFIXES:
        if f"{name}_{suffix}" in ids or (name.endswith(f"_{suffix}") and name.removesuffix(f"_{suffix}") in ids):
            yield (
                "",
                repr(name),
                f"another id: because of the suffix _{suffix}, it would share a metric with an earlier entry",
            )


def label_name_faults(name: str) -> Found:
    """Names that collide with our own labels and columns."""
    if not NAME.fullmatch(name) or name in (*LABELS_OF_OURS, *ROW_COLUMNS):
        taken = ", ".join((*LABELS_OF_OURS, *ROW_COLUMNS))
        yield "", repr(name), f"a name made up of lower-case letters, digits and _, other than {taken}"


def entry_faults(entry: MeasureEntry, labels: Labels, unusable: Collection[str] = ()) -> Found:
    """Everything that is wrong with one entry; keys in `unusable` have substitutes and have already been reported."""
    by_need = (
        ((), window_faults(entry)),
        (("by", "windows"), area_window_faults(entry)),
        (("stream",), moment_faults(entry)),
        (("kind",), kind_faults(entry)),
        (("kind", "stream"), vocabulary_faults(entry)),
        ((), label_faults(entry, labels)),
        (("stream",), value_faults(entry)),
        (("by",), target_faults(entry, labels)),
        ((), condition_faults(entry, None if "stream" in unusable else STREAMS[entry.stream])),
    )
    for needed, found in by_need:
        if not any(key in unusable for key in needed):
            yield from (fault for fault in found if fault[0].partition(".")[0] not in unusable)


def window_faults(entry: MeasureEntry) -> Found:
    """Windows that do not exist."""
    for window in entry.windows:
        if window not in WINDOWS:
            yield "windows", repr(window), f"one of the windows {', '.join(WINDOWS)}"


def area_window_faults(entry: MeasureEntry) -> Found:
    """Windows by area in an entry without such a window, or without areas."""
    asked = entry.area_windows or []
    if entry.area_windows is not None and AREA not in entry.by.values():
        yield "area_windows", repr(asked), "an entry without area_windows: the measure is not split by area"
        return
    for window in asked:
        if window not in entry.windows:
            yield "area_windows", repr(window), f"one of the measure's windows: {', '.join(entry.windows) or 'none'}"


def moment_faults(entry: MeasureEntry) -> Found:
    """Moments, states and values of tokens that do not exist."""
    stream = STREAMS[entry.stream]
    for key, named, what, known in (
        ("at", entry.at, "moment", stream.moments),
        ("start", entry.start, "moment", stream.moments),
        ("state", entry.state, "state", stream.states),
        ("tokens", entry.tokens, "value", stream.values),
    ):
        if named and named not in known:
            yield key, repr(named), f"a {what} of {entry.stream}: {', '.join(known) or 'it has none'}"


def kind_faults(entry: MeasureEntry) -> Found:
    """Keys that the kind requires, and keys that it does not have."""
    kind, known = KINDS[entry.kind], keys_of(entry.kind)
    for key in kind.needs:
        if not getattr(entry, key):
            yield key, "nothing", f"a value for {key}: kind {kind.name} needs it"
    for key in sorted(entry.model_fields_set - set(known)):
        yield (
            key,
            repr(getattr(entry, key)),
            f"an entry without {key}: kind {kind.name} does not have it; its keys are {', '.join(known)}",
        )
    if kind.most_labels is not None and len(entry.by) > kind.most_labels:
        write = f"at most {kind.most_labels} label" if kind.most_labels else "no label"
        yield "by", f"{len(entry.by)} labels", f"{write}: this is the limit for kind {kind.name}"
    yield from kind.faults(entry)


def vocabulary_faults(entry: MeasureEntry) -> Found:
    """A stream without the terms that the kind reads."""
    missing = [word for word in KINDS[entry.kind].terms if word not in STREAMS[entry.stream].vocabulary]
    if missing:
        have = [name for name, stream in STREAMS.items() if {*KINDS[entry.kind].terms} <= stream.vocabulary.keys()]
        yield (
            "stream",
            repr(entry.stream),
            f"one of {', '.join(have)}: kind {entry.kind} needs the terms {', '.join(missing)}",
        )


def label_faults(entry: MeasureEntry, labels: Labels) -> Found:
    """Labels that do not exist."""
    for name in entry.by:
        if name not in labels:
            yield f"by.{name}", repr(name), f"a label defined in labels.toml: {', '.join(labels)}"


def value_faults(entry: MeasureEntry) -> Found:
    """Labels that take values that the stream does not have."""
    values = STREAMS[entry.stream].values
    for name, word in entry.by.items():
        if STREAMS[entry.stream].label is not None:
            if word != name:
                yield f"by.{name}", repr(word), f"{name!r}: entities of {entry.stream} carry their own labels"
            continue
        if word not in values:
            yield f"by.{name}", repr(word), f"a value of {entry.stream}: {', '.join(values)}"


def target_faults(entry: MeasureEntry, labels: Labels) -> Found:
    """Targets for labels or values that do not exist."""
    for target in entry.targets:
        for name, value in target.where.items():
            if name not in entry.by:
                yield "targets", f"where {name}", f"one of the labels in `by`: {', '.join(entry.by)}"
            elif name in labels and value not in labels[name].values:
                yield (
                    "targets",
                    f"{name} = {value!r}",
                    f"one of the values listed for it: {', '.join(labels[name].values)}",
                )


def condition_faults(entry: MeasureEntry, words: Stream | None) -> Found:
    """Malformed conditions, and terms that the stream does not have (if the stream is known)."""
    for key, table in (("where", entry.where), ("part", entry.part)):
        if not table:
            continue
        try:
            said = condition(table)
        except ValueError as error:
            yield key, repr(table), str(error)
            continue
        if words is not None:
            yield from _condition_term_faults(key, said, words)


def _condition_term_faults(key: str, said: Condition, words: Stream) -> Found:
    for word, accepted in said.accepted.items():
        if word not in words.values:
            yield f"{key}.{word}", repr(word), f"a value of the stream: {', '.join(words.values)}"
        closed = words.values[word].can_be if word in words.values else ()
        if closed and (never := [value for value in accepted if value not in closed]):
            shown = ", ".join("true" if value is True else "false" if value is False else value for value in closed)
            yield f"{key}.{word}", f"{never}, which never occurs", f"one or more of {shown}"
    for word in filter(None, (said.start, said.end)):
        if word not in words.moments:
            yield key, repr(word), f"a moment of the stream: {', '.join(words.moments)}"
