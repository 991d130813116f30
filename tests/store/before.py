"""An old `meta`: what a worker wrote when one definition covered all streams.

Plain data, made by the code of that time (commit 7975d26) from the measures below. It is never generated again: what
Redis holds does not change either.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.folder import with_platform_alerts
from watchroom import streams as registry

STREAMS = ("calls", "incidents", "crimes")  # all the streams that existed
LABELS = """
[line]
brief = "Telephone line."
values = ["999", "101"]

[area]
brief = "Policing area."
values_from = "areas"
"""
MEASURES = """
[calls_in]
kind = "count"
stream = "calls"
at = "offered"
windows = ["5m"]
brief = "Some brief"
definition = "Some definition"
source = "Some source"
[calls_time]
kind = "duration"
stream = "calls"
start = "queued"
at = "answered"
by = { line = "line" }
targets = [{ where = { line = "999" }, below_s = 10 }]
edges_s = [60]
windows = ["5m"]
brief = "Some brief"
definition = "Some definition"
source = "Some source"
[calls_now]
kind = "open"
stream = "calls"
at = "queued"
state = "waiting"
give_up_s = 3600
by = { line = "line" }
brief = "Some brief"
definition = "Some definition"
source = "Some source"
[incidents_in]
kind = "count"
stream = "incidents"
at = "created"
by = { area = "area" }
windows = ["24h"]
brief = "Some brief"
definition = "Some definition"
source = "Some source"
[incidents_met]
kind = "share"
stream = "incidents"
at = "created"
part = { from = "created", to = "first_on_scene", within_s = 900 }
windows = ["24h"]
brief = "Some brief"
definition = "Some definition"
source = "Some source"
[crimes_in]
kind = "count"
stream = "crimes"
at = "recorded"
by = { area = "area" }
windows = ["month"]
brief = "Some brief"
definition = "Some definition"
source = "Some source"
"""
PARTITIONS = 2
FINGERPRINT = "0bd8a7acf26c94ca"
DEFINITION: dict[str, Any] = json.loads(Path(__file__).with_name("before.json").read_text())


def schemas(folder: Path, **changed: tuple[str, str]) -> Path:
    """A folder with those measures; `changed` gives, by measure, a text of its entry and the replacement."""
    measures = folder / "measures"
    measures.mkdir(parents=True)
    entries = MEASURES.split("\n[")
    for name, (was, now) in changed.items():
        entries = [each.replace(was, now) if each.startswith(f"{name}]") else each for each in entries]
    (measures / "labels.toml").write_text(LABELS)
    (measures / "measures.toml").write_text("\n[".join(entries))
    with_platform_alerts(measures)
    return folder


def old_meta(prefix: str = "watchroom", **parts: Any) -> dict[Any, Any]:
    """The fields that an old worker left, with topics of this prefix; `parts` override those of its definition."""
    text = json.dumps({**DEFINITION, **parts}, sort_keys=True).replace("of watchroom.", f"of {prefix}.")
    return {
        "fingerprint": hashlib.sha256(text.encode()).hexdigest()[:16],
        "definition": text,
        "life": "0011223344556677",
        "seq": 7,
        **{f"partitions:{prefix}.{stream}": PARTITIONS for stream in STREAMS},
    }


def use_old_folds(patch: pytest.MonkeyPatch) -> None:
    """Make every stream fold as at that time: its version has been raised since, and it used no tables."""
    for name in STREAMS:
        patch.setitem(registry.STREAMS, name, replace(registry.STREAMS[name], fold_version=1, reference={}))
