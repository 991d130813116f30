"""The report's layout: every row of the published report in one section, in the published order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parts import ROOT
from tests.reports.made import COUNT
from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid
from watchroom.reports.sections import FILE, PUBLISHED_ROWS, load_layout

SHIPPED = ROOT / "schemas"


def test_every_published_row_is_in_exactly_one_section_in_order() -> None:
    """The published report is in the order of its row numbers."""
    layout = load_layout(SHIPPED)
    assert [row for section in layout.sections for row in section.rows] == list(PUBLISHED_ROWS)
    assert layout.sections[-1].rows == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace("rows = [33]", "rows = [32, 33]"),
            "rows: found 32 twice; write each row in only one",
        ),
        (lambda text: text.replace("rows = [64]", "rows = [63]"), "rows: found no section with row 64"),
        (lambda text: text.replace("rows = [64]", "rows = [65]"), "found 65; write a number below 65"),
        (lambda text: text.replace('"finance"', '"people"'), "people: found two sections with this name"),
        (lambda text: text.replace('"finance"', '"definitions"'), "'definitions'; write another name"),
        (lambda text: text.replace('"finance"', '"Our finance"'), "'Our finance'"),
        (lambda text: text.partition('[[sections]]\nname = "further"')[0], "sections: found 0 sections without rows"),
        (lambda text: text.replace("title =", "titel =", 1), "title: found nothing"),
        (lambda text: text.replace("small_below = 50", "small_below = 0"), "a number of 1 or more"),
        (lambda _: "no toml", "not readable as TOML"),
    ],
)
def test_the_message_about_an_unusable_layout_says_what_to_write(
    change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    """A row without a section would be missing from what the public reads."""
    (tmp_path / FILE).write_text(change((SHIPPED / FILE).read_text()))
    with pytest.raises(ConfigurationInvalid) as caught:
        load_layout(tmp_path)
    assert said in str(caught.value)
    assert FILE in str(caught.value)


def test_a_measure_is_in_each_section_whose_rows_use_it() -> None:
    """Ordered by the first of its rows there; a measure that no row uses is in the last section."""
    rows = {"late": (12,), "both": (11, 50), "none": ()}
    catalogue = Catalogue({name: replace(COUNT, id=name, rows=served) for name, served in rows.items()})
    found = {
        section.name: [(measure.id, served) for measure, served in section.measures(catalogue)]
        for section in load_layout(SHIPPED).sections
    }
    assert {name: served for name, served in found.items() if served} == {
        "contact": [("both", (11,)), ("late", (12,))], "outcomes": [("both", (50,))], "further": [("none", ())],
    }  # fmt: skip


def test_requested_sections_come_in_the_published_order() -> None:
    """Whatever the order of the request."""
    layout = load_layout(SHIPPED)
    assert [section.name for section in layout.only(["finance", "contact"])] == ["contact", "finance"]
