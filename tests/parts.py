"""What a test needs besides Python. On a laptop the test is skipped and says how to get it; in CI it fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
SET_UP = "run `make test`, or as root deploy/setup/servers.sh and deploy/setup/kafka.sh"


class PartMissing(Exception):
    """A real part is not on this machine; the message names it and says how to get it."""


def missing(why: str) -> NoReturn:
    """Skip the running test; with CI=true fail it, so that a green run has really run everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(why)


def real_data_folder() -> Path:
    """Folder of the real extracts: WATCHROOM_REAL_DATA, or `shared/data` beside this clone."""
    folder = Path(os.environ.get("WATCHROOM_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "expected.json").is_file():
        missing(f"no real extracts in {folder}; set WATCHROOM_REAL_DATA to their folder")
    return folder
