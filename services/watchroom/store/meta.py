"""Reads the hash `meta`: the definition under which each stream's figures were made. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from watchroom.store import keys
from watchroom.store.definition import as_json, fingerprint, what_changed
from watchroom.store.evictions import Seen
from watchroom.store.old_meta import BEING_CLEARED, BY_STREAM, OLD_DEFINITION, OLD_FINGERPRINT, parts_by_stream

CLEARING_SAID: Final = "a rebuild is running, or was interrupted before it had cleared everything"


class Bound(NamedTuple):
    """The definition under which the figures of one stream were made."""

    fingerprint: str
    definition: str

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Bound:
        """A definition with its fingerprint, from `definition.definition_of`."""
        text = as_json(parts)
        return cls(fingerprint(text), text)


class Meta(NamedTuple):
    """The definitions, topics and logs of a force's figures."""

    streams: dict[str, Bound]
    seq: int
    partitions: dict[str, int]  # topic -> count
    log_ids: dict[str, str]  # topic -> id of the log that the figures were made from; empty if the broker has no ids
    clearing: bool = False  # a rebuild is clearing the keys, or was killed while it did
    evictions: Seen = Seen()


def meta_of(stored: Mapping[str, str]) -> Meta | None:
    """Reads the fields of `meta`, in today's form or the previous one; None before the first worker."""
    streams = {
        **taken_over(stored),
        **{
            name: Bound(value, stored.get(keys.DEFINITION + name, "{}"))
            for name, value in _after(keys.FINGERPRINT, stored).items()
        },
    }
    clearing = keys.CLEARING in stored or stored.get(OLD_FINGERPRINT) == BEING_CLEARED
    if not streams and not clearing:
        return None
    counts = {topic: int(count) for topic, count in _after(keys.PARTITIONS, stored).items()}
    return Meta(streams, int(stored.get(keys.SEQ, 0)), counts, _after(keys.LOG, stored), clearing, Seen.of(stored))


def taken_over(stored: Mapping[str, str]) -> dict[str, Bound]:
    """The streams of a `meta` in the previous form, converted to today's; empty if it is not in that form."""
    if stored.get(OLD_FINGERPRINT, BY_STREAM) in (BY_STREAM, BEING_CLEARED):
        return {}
    parts = parts_by_stream(stored.get(OLD_DEFINITION, "{}"))
    return {stream: Bound.of(of_stream) for stream, of_stream in parts.items()}


def differing(meta: Meta, ours: Mapping[str, Bound]) -> dict[str, str]:
    """By stream with another definition: what changed; streams that agree are left out.

    Args:
        meta: What Redis says. A stream that it does not have does not differ.
        ours: Our definition of each stream.
    """
    if meta.clearing:
        return dict.fromkeys(ours, CLEARING_SAID)
    return {
        stream: what_changed(held.definition, bound.definition)
        for stream, bound in ours.items()
        if (held := meta.streams.get(stream)) is not None and held.fingerprint != bound.fingerprint
    }


def _after(head: str, stored: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(head): value for name, value in stored.items() if name.startswith(head)}
