"""The rule files of Prometheus: everything in `deploy/prometheus/rules`, and nothing else stands there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules import alerts, recording
from watchroom.generate.rules.links import Links, load_links
from watchroom.generate.yaml_text import yaml_text
from watchroom.settings import Settings

FOLDER: Final = "deploy/prometheus/rules"
COMMENT: Final = "# Derived from the catalogue by `make generate`; do not edit.\n"


def rules_text(catalogue: Catalogue, links: Links, divide_times_by: float = 1) -> dict[str, str]:
    """Every rule file by name.

    Args:
        catalogue: Measures and their alerts.
        links: Where runbooks and boards are reached.
        divide_times_by: For drills: `for` and `keep_firing_for` are divided by it. Limits within
            expressions stay as shipped, so what `limits.muted_after_s` says holds for drills too.
    """
    groups = {
        "recording.yml": recording.group(catalogue),
        "measures.yml": alerts.measure_group(catalogue, links, divide_times_by),
        "platform.yml": alerts.platform_group(catalogue, links, divide_times_by),
    }
    return {name: COMMENT + yaml_text({"groups": [group]}) for name, group in groups.items()}


def shipped_catalogue(root: Path) -> Catalogue:
    """The catalogue below the repository's root, with the default areas."""
    return load_catalogue(root / "schemas" / "measures", Settings.model_fields["areas"].default)


def text(name: str, root: Path) -> str:
    """One rule file as it is shipped."""
    return rules_text(shipped_catalogue(root), load_links(root))[name]


OUTPUTS: Final[Mapping[str, Callable[[Path], str]]] = {
    f"{FOLDER}/{name}": partial(text, name) for name in ("recording.yml", "measures.yml", "platform.yml")
}
