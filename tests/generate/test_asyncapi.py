"""The AsyncAPI document: complete, and every reference resolves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, STREAM_OF
from watchroom.events import headers, reasons
from watchroom.generate import asyncapi
from watchroom.kafka.topic_settings import topic_settings
from watchroom.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "events"


def document() -> dict[str, Any]:
    """The document as plain values."""
    found: dict[str, Any] = yaml.safe_load(asyncapi.text())
    return found


def references(node: object) -> Iterator[str]:
    """Every `$ref` in the document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_resolves() -> None:
    """It points into the document, or to a schema file next to it."""
    whole = document()
    found = list(references(whole))
    assert len(found) > len(MODELS)
    for reference in found:
        if reference.startswith("#/"):
            node: Any = whole
            for part in reference[2:].split("/"):
                node = node[part]
        else:
            assert (FOLDER / reference).is_file(), reference


def test_every_topic_lists_its_event_types_and_the_heartbeat() -> None:
    """Its address is the default of the settings."""
    channels = document()["channels"]
    default = Settings(_env_file=None, topic_prefix="watchroom")
    for stream in OF_STREAM:
        assert channels[stream]["address"] == default.topic(stream)
        assert retention(channels[stream]) == topic_settings(default, default.topic(stream))["retention.ms"]
        assert set(channels[stream]["messages"]) == {HEARTBEAT, *(t for t, s in STREAM_OF.items() if s == stream)}
    assert channels["dead-letters"]["address"] == default.dead_letter_topic
    assert retention(channels["dead-letters"]) == str(400 * 86_400_000)


def retention(channel: dict[str, Any]) -> str:
    """How long its topic keeps a record, in the broker's notation."""
    return str(channel["bindings"]["kafka"]["topicConfiguration"]["retention.ms"])


def test_every_header_is_described_and_the_reasons_are_an_enumeration() -> None:
    """Readers of the dead letters find everything here."""
    letter = document()["components"]["messages"]["dead-letter"]["headers"]
    assert set(letter["properties"]) == set(headers.DEAD_LETTER)
    assert letter["properties"][headers.REASON]["enum"] == list(reasons.REASONS)
    event = document()["components"]["messageTraits"]["event"]["headers"]
    assert set(event["properties"]) == {headers.ARRIVED, headers.LATEST}
    named = {said for name, said in vars(headers).items() if name.isupper() and isinstance(said, str)}
    assert headers.DEAD_LETTER.keys() <= named
