"""Every how-to page works: its steps are done in a copy of the product, with the output that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.walk import StepFailed, Walk, blocks
from tests.parts import ROOT

FOLDER = ROOT / "docs" / "how-to"
# A measure before what its page says nothing about: tests that it runs would find a kind that is not complete yet.
PAGES = [FOLDER / f"add-{what}.md" for what in ("a-measure", "an-alert", "a-board", "a-kind", "a-stream", "a-mapping")]
pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """One copy for all pages: each page adds to what earlier pages have added."""
    return Walk(tmp_path_factory.mktemp("walk"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_can_be_followed_to_its_end(page: Path, walk: Walk) -> None:
    """A new colleague does exactly what is written, on the first day."""
    assert walk.follow(page.read_text("utf-8")) >= 2
    walk.run(".venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/vulture")


def test_once_all_pages_have_been_followed_the_checks_pass(walk: Walk) -> None:
    """Each page ends with `make check` and `make test`; a limit that the page's own code breaks would stop them."""
    walk.run(".venv/bin/mypy && .venv/bin/lint-imports && .venv/bin/watchroom generate --check")
    walk.run(".venv/bin/python -m pytest -q -p no:cacheprovider tests/generate/boards/test_boards.py tests/catalogue")


def test_there_is_a_page_for_each_thing_that_people_add() -> None:
    """No test would follow a page that is not in the list above."""
    assert set(FOLDER.glob("*.md")) == set(PAGES)


PLANTED = {
    "a command that fails": "```console\n$ false\n```\n",
    "a line that is not shown": "```console\n$ echo one\ntwo\n```\n",
    "lines in another order": "```console\n$ printf 'one\\ntwo\\n'\ntwo\none\n```\n",
    "a change of a line that is gone": '```diff title="Makefile"\n-nothing like this\n+something\n```\n',
    "a new file that is there already": '```toml title="pyproject.toml"\na = 1\n```\n',
    "an addition to a file that is gone": '```toml title="append to nothing.toml"\na = 1\n```\n',
    "a block that is no step": "```toml\na = 1\n```\n",
    "a new key in an entry": (
        '```toml title="schemas/measures/planted.toml"\n[planted]\nkind = "count"\ncolour = 1\n```\n'
        "```console\n$ make generate\n```\n"
    ),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_step_that_does_not_work_is_found(case: str, walk: Walk) -> None:
    """The test above in cases where it must fail."""
    try:
        with pytest.raises(StepFailed):
            walk.follow(PLANTED[case])
    finally:
        (walk.root / "schemas" / "measures" / "planted.toml").unlink(missing_ok=True)


def test_a_reference_to_a_file_is_replaced_by_its_text() -> None:
    """Long modules exist only once, and other tests run them too."""
    (block,) = blocks('```toml title="a.toml"\n--8<-- "tests/planted/kind.toml"\n```\n')
    assert "[call_answer_spread]" in block.text
