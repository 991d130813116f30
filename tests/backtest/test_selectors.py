"""The series that an expression reads."""

from __future__ import annotations

import pytest

from watchroom.backtest.selectors import Matcher, Selector, selectors
from watchroom.errors import WorkFailed

KNOWN = {"watchroom_calls_waiting", "up", "force:watchroom_x:age_max"}


def test_every_selector_of_an_expression_is_found() -> None:
    """A missed selector has no samples, so its alert would never fire."""
    asked = list(
        selectors(
            'max by (force) (watchroom_calls_waiting{line="999",area!~"a|b"}) > 3 unless on (force) up == 1'
            " or force:watchroom_x:age_max > 2",
            KNOWN,
        )
    )
    assert asked == [
        Selector("watchroom_calls_waiting", (Matcher("line", "=", "999"), Matcher("area", "!~", "a|b"))),
        Selector("up", ()),
        Selector("force:watchroom_x:age_max", ()),
    ]


def test_text_in_quotes_is_not_a_selector() -> None:
    """The texts of label_replace contain names and braces."""
    expression = r'label_replace(up{job="a}\"b"}, "stream", "up{x}", "topic", "watchroom_nothing")'
    assert list(selectors(expression, KNOWN)) == [Selector("up", (Matcher("job", "=", 'a}"b'),))]


@pytest.mark.parametrize("expression", ["watchroom_new > 1", 'other{a="b"}', '{__name__=~"watchroom_.*"}'])
def test_a_metric_that_is_never_published_is_refused(expression: str) -> None:
    """Its alert would look quiet because its series has no samples."""
    with pytest.raises(WorkFailed, match="no exporter or worker publishes it"):
        list(selectors(expression, KNOWN))


@pytest.mark.parametrize(
    ("sign", "value", "accepted"),
    [
        ("=", "1h", {"1h"}),
        ("!=", "1h", {"5m", ""}),
        ("=~", "5m|1h", {"5m", "1h"}),
        ("!~", "5m|1h", {""}),
        ("=", "", {""}),
    ],
)
def test_a_matcher_accepts_what_prometheus_would(sign: str, value: str, accepted: set[str]) -> None:
    """Patterns match the whole value, and an absent label is an empty one."""
    matcher = Matcher("window", sign, value)
    assert {text for text in ("5m", "1h") if matcher.accepts({"window": text})} == accepted - {""}
    assert matcher.accepts({}) == ("" in accepted)
