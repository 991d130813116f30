"""A Redis filled by hand through the documented keys, and the exporter's page from it at any moment."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.page import Page
from watchroom.exporter.run import definition_differences
from watchroom.exporter.tokens import TokenWindows
from watchroom.rolling.buckets import day_name, hour_name, month_name, ten_seconds_name, ten_seconds_of
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.definition import definition_of
from watchroom.store.keys import DEFINITION, FINGERPRINT, GENERATION, SEQ, Keys
from watchroom.store.meta import Bound
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

NOON = 1_637_971_200_000  # 2021-11-27T00:00:00Z, any moment
LONDON = Calendar("Europe/London")
PARTITIONS = 2

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class ExporterStore:
    """What a worker would have written; every method writes at once."""

    client: Redis
    settings: Settings

    def __post_init__(self) -> None:
        self.keys = Keys(self.settings.force)
        self.catalogue = load_catalogue(self.settings.schemas / "measures", self.settings.areas)
        self.topics = [self.settings.topic(stream) for stream in STREAMS]

    def begin(self, at_ms: int) -> ExporterStore:
        """A worker has started: all is fresh as of `at_ms`, and source `acd` was seen on every topic."""
        self.client.hset(
            self.keys.meta,
            mapping={
                SEQ: 0,
                GENERATION: secrets.token_hex(8),
                **{f"partitions:{topic}": PARTITIONS for topic in self.topics},
            },
        )
        for stream in STREAMS:
            self.bind(stream, self.catalogue)
        self.fresh(at_ms)
        self.source_seen(at_ms)
        return self

    def bind(self, stream: str, catalogue: Catalogue) -> None:
        """The figures of a stream were counted under this catalogue."""
        bound = Bound.of(definition_of(self.settings, catalogue, stream, PARTITIONS))
        fields = {f"{FINGERPRINT}{stream}": bound.fingerprint, f"{DEFINITION}{stream}": bound.definition}
        self.client.hset(self.keys.meta, mapping=dict[Any, Any](fields))

    def fresh(self, at_ms: int, *streams: str) -> None:
        """All partitions of these streams (default: of all) are fresh as of a moment."""
        for stream in streams or STREAMS:
            for partition in range(PARTITIONS):
                key = self.keys.partition(self.settings.topic(stream), partition)
                self.client.hset(key, mapping={"fresh_ms": at_ms, "next_offset": 7, "lost": 0})

    def source_seen(self, at_ms: int, *streams: str, source: str = "acd", what: str = "heartbeat") -> None:
        """A source sent something to these streams (default: to all)."""
        for stream in streams or STREAMS:
            self.client.hset(self.keys.sources(self.settings.topic(stream)), f"{source}|{what}", at_ms)

    def add(self, at_ms: int, fields: Mapping[str, int]) -> None:
        """What one step adds to the four buckets of a moment."""
        seq = self.client.hincrby(self.keys.meta, SEQ, 1)
        day = LONDON.day_of(at_ms)
        for name in (ten_seconds_name(ten_seconds_of(at_ms)), hour_name(at_ms), day_name(day), month_name(day[:7])):
            for field, number in fields.items():
                self.client.hincrby(self.keys.bucket(name), field, number)
            self.client.zadd(self.keys.changed, {name: seq})

    def waiting(self, series: str, since_ms: Mapping[str, int]) -> None:
        """Entities of an open measure."""
        self.client.zadd(self.keys.open_set(series), dict(since_ms))

    def reader(self) -> Reader:
        """Redis, through a connection of its own."""
        return Reader(self.settings.redis_url, self.settings.force, 2.0)

    def tokens(self, now_ms: int = NOON) -> TokenWindows:
        """A new exporter's measures of tokens, read at a moment."""
        tokens = TokenWindows(self.reader(), self.catalogue, self.settings)
        tokens.refresh(now_ms)
        return tokens

    def mirror(self, tokens: TokenWindows | None = None) -> Mirror:
        """A new exporter's copy; only its measures of tokens have been refreshed."""
        topics = self.settings.topics.values()
        return Mirror(self.reader(), self.catalogue, LONDON, topics, tokens or self.tokens())

    def page(self, mirror: Mirror) -> Page:
        """The page from a copy."""
        return Page(mirror, self.settings, definition_differences(self.catalogue, self.settings))

    def scrape(self, now_ms: int) -> Samples:
        """What a new exporter publishes at a moment."""
        mirror = self.mirror(self.tokens(now_ms))
        mirror.refresh(now_ms)
        return parsed(self.page(mirror).text(now_ms))


def parsed(text: str) -> Samples:
    """A page by (name, labels), read with Prometheus' own Python parser; a sample may occur once."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            if key in samples:
                raise AssertionError(f"{key} occurs twice")
            samples[key] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample; None if it is absent."""
    return samples.get((f"watchroom_{name}", frozenset(labels.items())))


def names_of(samples: Samples) -> set[str]:
    """All metric names on a page."""
    return {name for name, _ in samples}
