"""The alerts on the platform: a fault in their file is reported with the file, the key and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, LABELS, with_platform_alerts
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.platform_alerts import FILE
from watchroom.errors import ConfigurationInvalid, Fault

GOOD = """
[QueueFull]
severity = "ticket"
threshold = 20
expression = '''
max by (force) (watchroom_orphans{<awaited>}) > <threshold>
and on (force) up > <fresh_s>
'''
for_s = 5
keep_s = 60
limit_s = 10
summary = "{{ $labels.force }}: {{ $value }} (threshold <threshold>)"
meaning = "The queue is full."
impact = "Nothing else fits."
action = ["Empty it.", "Below <threshold> it is fine."]
number = "A test."
"""
PAGE = "docs/reference/catalogue.md"


def faults(folder: Path, text: str, measures: str = COUNT) -> tuple[Fault, ...]:
    """The faults in this file of alerts on the platform."""
    (folder / "labels.toml").write_text(LABELS)
    (folder / "measures.toml").write_text(measures)
    (folder / FILE).write_text(text)
    try:
        load_catalogue(folder, ("stoke", "county"))
    except ConfigurationInvalid as error:
        return error.faults
    return ()


def test_placeholders_are_replaced(tmp_path: Path) -> None:
    """A threshold or matcher is written once and used everywhere."""
    assert faults(tmp_path, GOOD) == ()
    alert = load_catalogue(tmp_path, ("stoke", "county")).platform_alerts["QueueFull"]
    assert alert.expression == (
        'max by (force) (watchroom_orphans{topic!~".*[.](returns)"}) > 20\nand on (force) up > 10'
    )
    assert alert.summary == "{{ $labels.force }}: {{ $value }} (threshold 20)"
    assert alert.action == ["Empty it.", "Below 20 it is fine."]
    assert (alert.mutes, alert.dashboard) == ("", "watchroom-platform")


BAD = {
    "unknown key": ("for_s", "fro_s", "fro_s", "an unknown key", "one of action, dashboard,", ""),
    "wrong type": ("for_s = 5", 'for_s = "5"', "for_s", "'5'", "a whole number", "#platform-alerts-for_s"),
    "unknown severity": ('"ticket"', '"urgent"', "severity", "'urgent'", "one of 'page', 'ticket' or 'none'", None),
    "unknown placeholder": ("<fresh_s>", "<fresh>", "expression", "<fresh>", "<awaited>, <fresh_s>, <threshold>", None),
    "placeholder of a threshold that is not there": (
        "threshold = 20", "", "expression", "<threshold>", "one of <awaited>, <fresh_s> instead of <threshold>", None,
    ),
    "unknown placeholder in a step": ("Empty it", "Empty <it>", "action.0", "<it>", "instead of <it>", None),
    "no step": ('["Empty it.", "Below <threshold> it is fine."]', "[]", "action", "[]", "at least one", None),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_fault_is_reported_with_what_to_write(case: str, tmp_path: Path) -> None:
    """As in every other file of the catalogue, with the page that explains the key."""
    old, new, key, found, write, page = BAD[case]
    (fault,) = [each for each in faults(tmp_path, GOOD.replace(old, new)) if each.found != "nothing"][:1]
    assert (fault.where, fault.key) == (str(tmp_path / FILE), f"QueueFull.{key}")
    assert found in fault.found
    assert write in fault.write
    anchor = f"#platform-alerts-{key.partition('.')[0]}" if page is None else page
    assert fault.page == PAGE + anchor


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    """Faults in measures too: one start of a process is enough to see what must be changed."""
    found = faults(tmp_path, GOOD.replace("for_s = 5", "").replace("QueueFull", "queue_full"), COUNT + "x = 1\n")
    assert [fault.key for fault in found] == ["queue_full", "queue_full.for_s", "calls_in.x"]
    assert found[0].write == "capitalised words joined together, for example RedisDown"


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    """Without it no alert would say that everything is down."""
    with_platform_alerts(tmp_path).joinpath(FILE).unlink()
    (tmp_path / "labels.toml").write_text(LABELS)
    (tmp_path / "measures.toml").write_text(COUNT)
    with pytest.raises(ConfigurationInvalid, match=FILE):
        load_catalogue(tmp_path, ())
