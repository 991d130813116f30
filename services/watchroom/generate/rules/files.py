"""The rule files of Prometheus: everything in `deploy/prometheus/rules`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules import alerts, recording
from watchroom.generate.rules.links import Links
from watchroom.generate.yaml_text import yaml_text
from watchroom.settings import Settings

FOLDER: Final = "deploy/prometheus/rules"
COMMENT: Final = "# Derived from the catalogue by `make generate`; do not edit.\n"


def rules_text(catalogue: Catalogue, links: Links) -> dict[str, str]:
    """Every rule file by name; `links` says where runbooks and boards are."""
    groups = {
        "recording.yml": recording.group(catalogue),
        "measures.yml": alerts.measure_group(catalogue, links),
        "platform.yml": alerts.platform_group(catalogue, links),
    }
    return {name: COMMENT + yaml_text({"groups": [group]}) for name, group in groups.items()}


def shipped_catalogue(root: Path) -> Catalogue:
    """The catalogue below the repository's root, with the default areas."""
    return load_catalogue(root / "schemas" / "measures", Settings.model_fields["areas"].default)
