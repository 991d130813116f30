"""What `make boards` fetches is pinned, and comes from the registry that the machine names; each check can fail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.pictures.drawing import RENDER

EXACT = re.compile(r"\d+\.\d+\.\d+")


def unpinned(package: Mapping[str, Any], lock: Mapping[str, Any]) -> list[str]:
    """Packages without an exact version, or with a different version in the lock file."""
    wanted = package["dependencies"]
    locked = {name: lock["packages"].get(f"node_modules/{name}", {}).get("version") for name in wanted}
    return [name for name, version in wanted.items() if not EXACT.fullmatch(version) or locked[name] != version]


def unsafe(lock: Mapping[str, Any]) -> list[str]:
    """Locked packages with an address or without a checksum."""
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    return [name for name, entry in packages.items() if "resolved" in entry or not entry.get("integrity")]


def shipped(name: str) -> dict[str, Any]:
    """A file of the drawing program."""
    content: dict[str, Any] = json.loads((RENDER / name).read_text())
    return content


def test_every_package_is_pinned_and_locked() -> None:
    """Some versions exist for one of these packages and not for another."""
    assert unpinned(shipped("package.json"), shipped("package-lock.json")) == []


def test_the_lock_file_has_checksums_and_no_addresses() -> None:
    """An address would tie every clone to one registry; a package without a checksum could be another one."""
    lock = shipped("package-lock.json")
    assert len(lock["packages"]) > 100
    assert unsafe(lock) == []


@pytest.mark.parametrize("version", ["^1.0.0", "latest", "1.0.1"])
def test_a_package_that_is_not_pinned_is_found(version: str) -> None:
    """The check above in cases where it must fail."""
    lock = {"packages": {"node_modules/a": {"version": "1.0.0"}}}
    assert unpinned({"dependencies": {"a": version}}, lock) == ["a"]


def test_an_address_or_a_missing_checksum_is_found() -> None:
    """The check above in cases where it must fail."""
    entries = {"": {}, "a": {"integrity": "x"}, "b": {"integrity": "x", "resolved": "y"}, "c": {"version": "1.0.0"}}
    assert unsafe({"packages": entries}) == ["b", "c"]
