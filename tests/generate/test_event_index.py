"""The page for producers: every type, every required field, every reason."""

from __future__ import annotations

from watchroom.admission.models import MODELS
from watchroom.events import reasons
from watchroom.generate.event_index import text


def test_the_page_lists_every_type_with_its_required_fields() -> None:
    """It is the first page that a producer opens."""
    page = text()
    for name in MODELS:
        assert f"[`{name}`]({name}.json)" in page
    assert "| `unit` |" in page
    assert "| `offence_code` or `group` or `category` | `area`, `reported_at`, " in page


def test_the_page_explains_every_reason_in_the_order_in_which_they_are_checked() -> None:
    """A dead letter has the first reason that applies."""
    page = text()
    places = [page.index(f"| `{reason}` |") for reason in reasons.REASONS]
    assert places == sorted(places)
