"""The check of docs/language.md that `make check` runs, and the cases in which it fails."""

from __future__ import annotations

import pytest

from tests import language
from tests.parts import ROOT

PHRASES = language.retired((ROOT / language.PAGE).read_text(encoding="utf-8"))


def test_no_committed_text_has_a_retired_phrase(capsys: pytest.CaptureFixture[str]) -> None:
    """What `make check` runs; its output names file, line, phrase and what to write."""
    assert language.main() == 0, capsys.readouterr().out


@pytest.mark.parametrize("phrase", PHRASES)
def test_each_retired_phrase_is_found(phrase: str) -> None:
    """In any case, and also when it is wrapped over two lines of a comment."""
    first, *rest = phrase.split()
    for text in (f"x\n{phrase.capitalize()}.", f"x\n# {first}\n# {' '.join(rest)}" if rest else phrase):
        assert phrase in {found for _, found in language.findings(text, PHRASES)}


def test_the_line_of_a_phrase_is_named() -> None:
    """Counted from 1, where the phrase begins."""
    assert list(language.findings("one\ntwo is made\n    anew\n", {"made anew": "again"})) == [(2, "made anew")]


def test_part_of_a_longer_word_is_not_a_phrase() -> None:
    """A check with false alarms would be switched off."""
    assert list(language.findings("remade anew-ish", {"made anew": "again"})) == []


def test_a_retired_phrase_fails_with_its_replacement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the person who wrote it sees."""
    monkeypatch.setattr(language, "committed", lambda: iter([("a.md", "It was made anew.")]))
    assert language.main() == 1
    assert f'a.md:1: "made anew"; write: {PHRASES["made anew"]}' in capsys.readouterr().out


def test_an_exception_that_is_not_needed_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would let the next fault through."""
    monkeypatch.setattr(language, "ALLOWED", {("gone.md", "made anew"): "a quotation"})
    assert language.main() == 1
    assert "gone.md" in capsys.readouterr().out


def test_a_page_without_the_table_is_refused() -> None:
    """A renamed heading would otherwise switch the check off."""
    with pytest.raises(ValueError, match="no table"):
        language.retired("# Language\n")
