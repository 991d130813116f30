"""A folder of catalogue files for one test, and the loader's faults for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import FILE as PLATFORM_FILE
from watchroom.errors import ConfigurationInvalid, Fault

LABELS = """
[line]
brief = "Telephone line."
values = ["999", "101"]

[area]
brief = "Policing area."
values_from = "areas"
"""

TEXTS = 'brief = "Some brief"\ndefinition = "Some definition"\nsource = "Some source"\n'

COUNT = f'[calls_in]\nkind = "count"\nstream = "calls"\nat = "offered"\nwindows = ["5m"]\n{TEXTS}'
SHARE = (
    '[calls_lost]\nkind = "share"\nstream = "calls"\nat = "left_queue"\npart = { left_by = ["abandoned"] }\n'
    f'windows = ["5m"]\n{TEXTS}'
)
DURATION = (
    '[calls_time]\nkind = "duration"\nstream = "calls"\nstart = "queued"\nat = "answered"\nby = { line = "line" }\n'
    f'targets = [{{ where = {{ line = "999" }}, below_s = 10 }}]\nedges_s = [60]\nwindows = ["5m"]\n{TEXTS}'
)
OPEN = (
    '[calls_now]\nkind = "open"\nstream = "calls"\nat = "queued"\nstate = "waiting"\ngive_up_s = 3600\n'
    f'by = {{ line = "line" }}\n{TEXTS}'
)
OF_KIND = {"count": COUNT, "share": SHARE, "duration": DURATION, "open": OPEN}


def with_platform_alerts(folder: Path) -> Path:
    """The folder with our alerts on the platform, without which no catalogue is loaded."""
    shutil.copy(ROOT / "schemas" / "measures" / PLATFORM_FILE, folder)
    return folder


def load(folder: Path, labels: str | None = LABELS, **files: str) -> Catalogue:
    """The catalogue of these files (name without `.toml` -> text)."""
    if labels is not None:
        (folder / "labels.toml").write_text(labels)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return load_catalogue(with_platform_alerts(folder), ("stoke", "county"))


def faults(folder: Path, labels: str | None = LABELS, **files: str) -> tuple[Fault, ...]:
    """What is wrong with these files; the loader must refuse them."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(folder, labels, **files)
    assert caught.value.exit_code == 2
    return caught.value.faults


def the_fault(folder: Path, text: str, labels: str | None = LABELS) -> Fault:
    """The only fault of one file of measures."""
    found = faults(folder, labels, measures=text)
    assert len(found) == 1, [str(fault) for fault in found]
    return found[0]
