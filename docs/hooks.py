"""The site has every page of the repository at its own path, so links work there as they do in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES_AND_WHAT_THEY_LINK_TO = (
    "*.md", "LICENSE", "docker-compose.yml", "pyproject.toml", "Makefile", "deploy", "grafana/pictures", "schemas",
    "tests/planted", ":!.github", ":!services/watchroom/generate/pages",
)  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Everything that the repository has and that pages may link to, instead of the files of `docs` alone."""
    kept = [file for file in files if not file.is_documentation_page() and "assets/" in file.src_uri]
    return Files(kept + [_file(config, path) for path in _committed()])


def _committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *PAGES_AND_WHAT_THEY_LINK_TO], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return listed.stdout.splitlines()


def _file(config: MkDocsConfig, path: str) -> File:
    return File.generated(config, path, abs_src_path=str(ROOT / path))
