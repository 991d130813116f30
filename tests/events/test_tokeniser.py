"""Tokens: as the page defines them, and as somebody with only the page would make them."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts import ROOT
from watchroom.events.tokeniser import NotNormalised, Tokeniser, is_country, normalised
from watchroom.events.tokens import PATTERN, Kind

KEY = b"test-vectors-only-0123456789abcdef"
MAKER = Tokeniser(KEY, "k1", "GB")
PAGE = (ROOT / "schemas/events/TOKENS.md").read_text(encoding="utf-8")
VECTORS = re.findall(r"^\| (\w+) \| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)
KINDS: tuple[Kind, ...] = get_args(Kind)


def by_the_page(kind: str, normal: str) -> str:
    """A token made with nothing but SHA-256, following RFC 2104 step by step."""
    block = KEY.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + kind.encode() + b"\0" + normal.encode()).digest()
    digest = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
    return "k1." + base64.b32encode(digest[:16]).decode()[:26]


def test_the_page_has_test_vectors_of_every_kind() -> None:
    """It also gives the length of its key."""
    assert {kind for kind, *_ in VECTORS} == set(KINDS)
    assert len(VECTORS) >= 8
    assert f"the {len(KEY)} bytes `{KEY.decode()}`" in PAGE


@pytest.mark.parametrize(("kind", "text", "normal", "token"), VECTORS)
def test_the_test_vectors_of_the_page_are_correct(kind: Kind, text: str, normal: str, token: str) -> None:
    """Producers check their own programs against them."""
    assert normalised(kind, text, "GB") == normal
    assert MAKER.token(kind, text) == token == by_the_page(kind, normal)


@given(st.sampled_from(KINDS[1:]), st.text())
def test_every_text_gives_a_token_or_is_blank(kind: Kind, text: str) -> None:
    """The token has the form that events may contain."""
    try:
        token = MAKER.token(kind, text)
    except NotNormalised:
        text.encode(errors="surrogatepass")
        return
    assert re.fullmatch(PATTERN, token) if text.strip() else token == ""


@given(st.text(alphabet="+0123456789 ()-x/abc٣", max_size=20))
def test_a_text_is_a_telephone_number_or_is_refused_without_being_shown(text: str) -> None:
    """Whatever the column contains."""
    said = ""
    try:
        normal = normalised("telephone", text, "GB")
    except NotNormalised as error:
        normal, said = "", str(error)
    assert not any(character in said for character in "0123456789+٣")
    assert bool(normal) is not bool(said or not text.strip())
    assert not normal or re.fullmatch(r"\+[1-9]\d{6,14}", normal)


@pytest.mark.parametrize(
    "ways",
    [
        ("telephone", "01632 960001", "+441632960001", "0044 1632 960001", "(01632) 960-001", "01632 960001 ext. 7"),
        ("person", "Zoë Example", "ZOE\u0308  example ", "\tzoë\u00a0EXAMPLE"),
        ("address", "1 High Street", " 1  HIGH street\n", "\uff11 High\u2003Street"),
    ],
)
def test_all_ways_of_writing_the_same_thing_give_one_token(ways: tuple[Kind, *tuple[str, ...]]) -> None:
    """Otherwise one caller would count as five."""
    kind, *texts = ways
    assert len({MAKER.token(kind, text) for text in texts}) == 1


def test_a_token_depends_on_kind_key_and_text() -> None:
    """Only the same person under the same key gives the same token."""
    others = [MAKER.token("person", "A B"), MAKER.token("address", "A B"), MAKER.token("person", "A  C")]
    others += [Tokeniser(KEY + b"!", "k1", "GB").token("person", "A B")]
    assert len(set(others)) == len(others)
    assert Tokeniser(KEY, "k2", "GB").token("person", "A B") == "k2" + others[0][2:]
    local = "020 7946 0018"
    assert Tokeniser(KEY, "k1", "FR").token("telephone", "+44 " + local) == MAKER.token("telephone", local)


@pytest.mark.parametrize("text", ["999", "960001", "WITHHELD", "0", "+", "0" * 300, "\udcff"])
def test_a_text_that_is_not_a_telephone_number_has_no_token(text: str) -> None:
    """A number without its area code could belong to two people; the message shows none of it."""
    with pytest.raises(NotNormalised) as caught:
        MAKER.token("telephone", text)
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " ", "\t\r\n"])
def test_a_blank_text_has_no_token(kind: Kind, text: str) -> None:
    """It is absent, and identifies nobody."""
    assert MAKER.token(kind, text) == ""


def test_countries_are_those_that_the_library_knows() -> None:
    """With an unknown country, every number would be refused."""
    assert is_country("GB")
    assert not is_country("UK")


def test_the_key_is_not_shown_in_the_repr() -> None:
    """A log or a failing test may show any object."""
    assert KEY.decode() not in repr(MAKER)
