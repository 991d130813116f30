"""Static checks of deploy/Dockerfile; and what it installs, built as a wheel and run outside the repository."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy import dockerfile
from tests.parts import ROOT
from tests.watchdog.receiver import running_receiver

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
IGNORE = (ROOT / ".dockerignore").read_text()

CHECKS: dict[str, Callable[[str], list[str]]] = {
    "base": dockerfile.base_faults,
    "copy": lambda text: dockerfile.copy_faults(text, IGNORE, ROOT),
    "user": dockerfile.user_faults,
    "environment": dockerfile.environment_faults,
    "install": dockerfile.install_faults,
    "health": dockerfile.health_faults,
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_dockerfile_has_no_faults(check: str) -> None:
    """An image that cannot be built or runs as root should be found without a Docker engine."""
    assert CHECKS[check](TEXT) == []


@pytest.mark.parametrize(
    ("check", "is_", "becomes", "says"),
    [
        ("base", "python:3.11.14-slim-bookworm\n", "python:3.11\n", "python:3.11 has no whole version"),
        ("base", "python:3.11.14-slim-bookworm AS", "python AS", "python has no whole version"),
        ("copy", "COPY schemas", "COPY schema", "schema does not exist"),
        ("copy", "COPY services services", "COPY tests tests", ".dockerignore keeps tests out"),
        ("user", "USER 10001:10001\n", "", "it runs as root"),
        ("user", "USER 10001:10001\n", "USER root\n", "it runs as root"),
        ("user", "USER 10001:10001\n", "USER 10002:10001\n", "nobody makes --uid 10002"),
        ("environment", "WATCHROOM_SCHEMAS=/usr", "WATCHROOM_SCHEMA=/usr", "there is no setting WATCHROOM_SCHEMA"),
        ("environment", "WATCHROOM_SCHEMAS=/usr/", "WATCHROOM_SCHEMAS=/srv/", "WATCHROOM_SCHEMAS is /srv/share"),
        ("install", " --constraint constraints.txt", "", "pip does not install"),
        ("install", "constraints.txt .\n", "constraints.txt .[dev]\n", "pip does not install"),
        ("health", "os.environ['HEALTH_PAGE']", "'http://127.0.0.1:1'", "no HEALTHCHECK of HEALTH_PAGE"),
    ],
)
def test_a_fault_in_the_dockerfile_is_found(check: str, is_: str, becomes: str, says: str) -> None:
    """The checks above, each in cases where it must fail."""
    assert is_ in TEXT, "the text to break is not there any more"
    faults = CHECKS[check](TEXT.replace(is_, becomes))
    assert [fault for fault in faults if says in fault], faults


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` would install in the image: our wheel, built from the copied files and unpacked."""
    folder = tmp_path_factory.mktemp("image")
    copied = folder / "copied"
    shutil.copytree(ROOT / "services", copied / "services", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copied)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    done = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_every_file_of_the_services_is_in_the_image(installed: Path) -> None:
    """Otherwise a missing Lua script or page would only be noticed at the first start of a container."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "services/watchroom"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    wanted = {Path(name).relative_to("services") for name in listed.split("\0") if name and (ROOT / name).exists()}
    assert len(wanted) > 100
    assert {str(path) for path in wanted if not (installed / path).is_file()} == set()


def run_installed(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program away from the repository, with the image's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
    environment |= {"PYTHONPATH": str(installed), "WATCHROOM_SCHEMAS": str(ROOT / "schemas")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_installed_program_reads_the_catalogue_from_watchroom_schemas(installed: Path, tmp_path: Path) -> None:
    """In the image the code is not next to the schemas."""
    program = (
        "import watchroom; from watchroom.settings import read_settings; "
        "from watchroom.catalogue.load import load_catalogue; s = read_settings(); "
        "print(watchroom.__file__, len(load_catalogue(s.schemas / 'measures', s.areas).measures))"
    )
    done = run_installed(installed, tmp_path, "-c", program)
    assert done.returncode == 0, done.stderr
    file, measures = done.stdout.split()
    assert file.startswith(str(installed))
    assert int(measures) > 10


def test_the_health_check_fails_unless_the_page_answers_with_success() -> None:
    """The exact text of HEALTHCHECK, run with pages that answer 200, 503 and not at all."""
    (check,) = (rest for word, rest in dockerfile.final_stage(TEXT) if word == "HEALTHCHECK")
    words = ast.literal_eval(check.partition("CMD ")[2])

    def says(url: str) -> int:
        environment = {**os.environ, "HEALTH_PAGE": url}
        return subprocess.run(
            [sys.executable, *words[1:]], env=environment, capture_output=True, check=False
        ).returncode

    with running_receiver() as receiver:
        receiver.pages = {"/healthz": 200, "/ill": 503}
        address = f"http://127.0.0.1:{receiver.server_port}"
        assert [says(f"{address}/healthz"), says(f"{address}/ill")] == [0, 1]
    assert says(f"{address}/healthz") == 1
