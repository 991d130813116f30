"""The index page of `schemas/events/`: which events there are, and what every producer must know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from watchroom.admission.models import HEARTBEAT, LOOSE_FIELDS, OF_STREAM, type_of
from watchroom.events import headers, reasons
from watchroom.generate.event_schemas import schema

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/streams by `make generate`; do not edit. -->
# Events

What Watchroom reads: [CloudEvents 1.0](https://cloudevents.io) in JSON, structured or in binary mode (below), one event
a Kafka record.
`<type>.json` is the JSON Schema of a type, `examples/<type>.json` an event of it, `refused/<type>.json` one that
is refused, with the reason; `asyncapi.yaml` describes topics, keys and headers for tools.

* **Key** = `subject` in UTF-8, nothing around it: the call, incident or crime. Everything about one of them then
  meets in one partition. The partition is the one of Kafka's default partitioner (murmur2); librdkafka needs
  `partitioner=murmur2_random`.
* **Times** are RFC 3339 with an offset (`2021-10-31T01:30:00+01:00` or `2021-10-31T00:30:00Z`): that half hour
  happened twice in London. Without an offset an event is refused. Milliseconds count, what is finer is cut.
* **Times that cannot be** are refused, whatever the source: before 1990, or more than 5 minutes later than the
  timestamp of the event's own Kafka record (of a dead letter that is sent again, the first record's). No other clock
  takes part, so a rebuild refuses and admits the same events. Only the header `watchroom-latest`, which `watchroom
  replay` writes, moves that limit, and only for sources declared `history`.
* **`id`** is unique within `source`, and stays the same when the event is sent again: then it is counted once.
* **Names** (`id`, `source`, `subject`): 1 to 256 characters, no control characters, no space at either end.
* **Other fields** are welcome, in the envelope and in `data`; they are not read. `null` means absent.
* **No personal data**: [tokens](TOKENS.md) for people, numbers and addresses. Anything else in a field for a token is
  refused. An event that is refused for any other reason loses its bytes too if it names such a field without a token
  right after it.
* An event has at most 262,144 bytes (256 KiB).
* **Producers** set `acks=all` and `enable.idempotence=true` (and `partitioner=murmur2_random`, see above): an event
  counts once Kafka has acknowledged it, and must then survive the loss of a broker. How topics are to be set up, and
  the rights that a producer needs, are in [deploy/kafka/rights.md](../../deploy/kafka/rights.md).

## Structured and binary mode

Both modes of the Kafka binding of CloudEvents are read, and an event gives the same figures in either. A record is in
binary mode if it has the header `ce_specversion` and its header `content-type` does not begin with
`application/cloudevents`; every other record is structured.

| | structured | binary |
|---|---|---|
| value | the whole event as JSON | its `data` as JSON; empty or null if it has none |
| headers | none needed | each attribute as `ce_<name>`, for example `ce_id` and `ce_recordedtime` |
| `datacontenttype` | in the value, if given | the header `content-type`, if given |
| key | the subject | the subject |

```
key      17
headers  ce_specversion: 1.0    ce_id: acd-900002             ce_source: acd     ce_type: call.queued
         ce_subject: 17         ce_time: 2021-10-31T09:00:00Z content-type: application/json
value    {"line": "999"}
```

Header names are lower case, values UTF-8. In binary mode, an attribute whose header occurs twice, is null or is not
UTF-8 refuses the event. Other headers, for example those of tracing tools, do not matter. A batch
(`application/cloudevents-batch`) is refused. The JSON Schemas describe the structured form.

An event with `data_base64`, or with another whole event as its data, is refused in both modes (`bad_data`): its own
data would be lost.
"""

_LOOSE: Final = """
## What is ignored

These optional fields count as absent where their form is wrong: the event is used without them, and
`watchroom_ignored_fields` counts each. A wrong form of any other field refuses the event.

{fields}
"""

_REFUSALS: Final = """
## What is refused, and why

A refused event goes to the topic `watchroom.dead-letters`, its bytes untouched (of `raw_identifier` only length and
SHA-256 are kept: no value, no key, no headers); the rest of its batch is applied. It is refused for the first of these
that applies; header `{detail}` says what was found and what to write instead. If the bytes are JSON with something
around it, it says what: a schema registry's prefix, a byte order mark, UTF-16, gzip, JSON in a text, several events.

Once the cause is mended, `watchroom dead-letters replay` sends letters again. One that is sent again unchanged is
refused again, and is then listed twice: by its first record and by the one that was sent again.

A letter has its record's own headers too, 16 KiB together at most, and a replay sends them again. If there were more,
some are left out and `{headers_length}` says how many bytes there were; a letter in binary mode is then not
sent again. Of headers that begin with `watchroom-`, a letter keeps `{arrived}` and `{latest}` only.

| `{reason}` | means |
|---|---|
"""


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    parts = [_INTRODUCTION]
    for stream, models in OF_STREAM.items():
        parts += [f"\n## Topic `watchroom.{stream}`\n\n", *_table([*(type_of(model) for model in models), HEARTBEAT])]
    loose = sorted(set().union(*LOOSE_FIELDS.values()))
    parts.append(_LOOSE.format(fields=", ".join(f"`{field}`" for field in loose)))
    names = {"headers_length": headers.HEADERS_LENGTH, "arrived": headers.ARRIVED, "latest": headers.LATEST}
    parts.append(_REFUSALS.format(detail=headers.DETAIL, reason=headers.REASON, **names))
    parts += [f"| `{reason}` | {meaning} |\n" for reason, meaning in reasons.MEANINGS.items()]
    return "".join(parts)


def _table(names: Iterable[str]) -> Iterable[str]:
    yield "| type | means | `data` must say | may say |\n|---|---|---|---|\n"
    for name in names:
        found = schema(name)
        must, may = _words(found)
        yield f"| [`{name}`]({name}.json) | {found['description']} | {must} | {may} |\n"


def _words(found: dict[str, Any]) -> tuple[str, str]:
    """The fields of `data`: those required (or one of which is), and the others."""
    data = found["properties"].get("data")
    if data is None:
        return "", ""
    ways = [data, *data.get("anyOf", ())]
    name = next(way["$ref"].rsplit("/", 1)[1] for way in ways if "$ref" in way)
    model = found["$defs"][name]
    required = model.get("required", [])
    one_of = [way["required"][0] for way in ways if "required" in way]
    must = ", ".join(f"`{word}`" for word in required) + " or ".join(f"`{word}`" for word in one_of)
    return must, ", ".join(f"`{word}`" for word in model["properties"] if word not in {*required, *one_of})
