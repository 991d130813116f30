"""Records that may identify a person: whatever else is wrong with them, nothing of them is kept or shown."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.made import ABSENT, DAY_MS, NOON_MS, admission, fields, parsed, record, refused, value_of
from watchroom.admission.admit import Admission
from watchroom.admission.models import MODELS, data_fields
from watchroom.admission.raw_identifiers import raw_identifier, source_of
from watchroom.events import reasons
from watchroom.events.record import Arrived, Headers, Record
from watchroom.events.tokens import FIELDS, RequiredToken, Token
from watchroom.intake.admission import OTHER, BatchAdmission

NUMBER = "01632 960001"
TOKEN = "k1." + "A2" * 13
RAW = {"line": "999", "caller_token": NUMBER}
LATE = record(arrival_ms=NOON_MS + 2 * DAY_MS)


def refusal_of(given: Record, *, sources: tuple[str, ...] = ()) -> tuple[str, str, dict[str, int]]:
    """Reason and detail of the one refused record, and the counts by source."""
    admitted = BatchAdmission("watchroom.calls", 0, admission(), sources).admit([given], known={"17"})
    assert admitted.by_subject == {}
    (found,) = admitted.refused
    return found.why.reason, found.why.detail, dict(admitted.raw_identifiers)


def test_the_names_searched_for_include_every_token_field() -> None:
    """A token field whose name is not searched for would be kept in a dead letter."""
    marked = {field for name in MODELS for field, hint in data_fields(name).items() if hint in (Token, RequiredToken)}
    assert "caller_token" in marked
    assert marked <= set(FIELDS)


@pytest.mark.parametrize("token", [TOKEN, "a." + "Z" * 26, "abcdefg8." + "7" * 26, None])
def test_a_token_or_null_is_admitted(token: str | None) -> None:
    """A key id of 1 to 8 characters, then 26 characters of base32."""
    assert parsed(data={"caller_token": token}).data.get("caller_token") == token


@pytest.mark.parametrize(
    "wrong",
    [
        NUMBER, "", " ", TOKEN.lower(), TOKEN + " ", TOKEN[:-1], TOKEN + "A", TOKEN[3:], "K1" + TOKEN[2:],
        "abcdefghi" + TOKEN[2:], "." + TOKEN[3:], "k1." + "A1" * 13, TOKEN + "\n", 1632960001, 1.5, True, [TOKEN],
        {"token": TOKEN}, [], {},
    ],
)  # fmt: skip
def test_anything_else_in_a_token_field_is_refused_as_a_raw_identifier(wrong: object) -> None:
    """Even in an otherwise valid event, and the detail does not show it."""
    error = refused(value_of(data={"line": "999", "caller_token": wrong}))
    assert error.reason == reasons.RAW_IDENTIFIER
    assert "caller_token" in error.detail
    assert str(wrong).strip() in ("", "[]", "{}") or str(wrong) not in error.detail


@pytest.mark.parametrize("name", FIELDS)
def test_the_message_suggests_null_only_if_null_is_admitted(name: str) -> None:
    """Anyone who wrote null for a suspect would be refused again."""
    refused = raw_identifier(f'{{"{name}": "Zoe"}}'.encode())
    assert refused is not None
    assert ("token`, or null. Neither" in refused.detail) is (name != "suspect_token")


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "given",
    [
        LATE._replace(value=value_of(data=RAW)),
        record(data=RAW, arrival_ms=NOON_MS - DAY_MS),
        record(data=RAW, key=NUMBER.encode()),
        record(data=RAW, key=None),
        record(data=RAW, headers=(("watchroom-arrived", b"soon"),)),
        record(data=RAW, type="caller.rang"),
        record(data=RAW, type="incident.created"),
        record(data=RAW | {"line": 999}),
        record(data=RAW, time="yesterday"),
        record(data=RAW, id=ABSENT),
        record(data=RAW, subject=ABSENT, source=7),
        record(data=[RAW]),
        record(data={"line": 9, "more": {"deeper": [RAW]}}),
        record(data={"line": 9, "caller_token": {"number": NUMBER}}),
        record(data={"line": 9, "caller_token": [TOKEN, NUMBER]}),
        record(data=json.dumps(RAW)),
        record(data=json.dumps(json.dumps(RAW))),
        record(data={"line": 9}, caller_token=NUMBER),
        record(data=RAW | {"padding": "x" * 300_000}),
        record(type="incident.graded", data=ABSENT, data_base64=base64.b64encode(json.dumps(RAW).encode()).decode()),
        record()._replace(value=base64.b64encode(value_of(data=RAW))),
        record()._replace(value=gzip.compress(value_of(data=RAW))),
        record()._replace(value=zlib.compress(value_of(data=RAW))[:-9]),
        record()._replace(value=b' "' + base64.urlsafe_b64encode(value_of(data=RAW)) + b'"'),
        record()._replace(value=value_of(data=RAW)[:-9]),
        record()._replace(value=value_of(data=RAW)[:-2]),
        record()._replace(value=value_of(data={"caller_token": TOKEN})[:-4]),
        record()._replace(value=b"\xff" + value_of(data=RAW)),
        record()._replace(value=value_of(data=RAW).decode().encode("utf-16")),
        record()._replace(value=value_of(data=RAW) * 2),
        record()._replace(value=value_of(data=RAW).replace(b"999", b"\xe9")),
        record()._replace(value=value_of(data={"a": float("nan"), **RAW})),
        LATE._replace(value=value_of(data=RAW).replace(b"caller_token", rb"c\u0061ller\u005Ftoken")),
        record()._replace(value=str(fields(data=RAW)).encode()),
        record()._replace(value=b"<data><caller_token>01632 960001</caller_token></data>"),
        record()._replace(value=b'{"caller_token": "01632 960001", "caller_token": "' + TOKEN.encode() + b'"}'),
        record()._replace(value=b'{"caller_token": "' + TOKEN.encode() + rb'\", 01632 960001"}'),
        record()._replace(value=b'{"caller_token": "' + TOKEN.encode() + rb'\u0022, 01632 960001"}'),
        record()._replace(value=b'[{"caller_token": "' + TOKEN.encode() + b'" 01632 960001}]'),
    ],
)  # fmt: skip
def test_whatever_else_is_wrong_neither_the_value_nor_the_key_is_shown(given: Record, name: str) -> None:
    """Late, future, misplaced, unknown, too large or not JSON: the bytes would be in the dead letter."""
    assert given.value is not None
    value = given.value.replace(b"caller", name.partition("_")[0].encode())
    value = value.replace(b"c\0a\0l\0l\0e\0r\0", name.partition("_")[0].encode("utf-16-le"))
    escaped = name[0].encode() + rb"\u%04x" % ord(name[1]) + name[2:-6].encode()
    given = given._replace(value=value.replace(rb"c\u0061ller", escaped))
    reason, detail, counted = refusal_of(given)
    assert reason == reasons.RAW_IDENTIFIER
    assert "96000" not in detail
    assert "'17'" not in detail
    assert sum(counted.values()) == 1


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((("ce_caller_token", NUMBER.encode()),), b"{}"),
        ((("ce_caller_token", None), ("ce_caller_token", f"{TOKEN}, {NUMBER}".encode())), b"{}"),
        ((("baggage", json.dumps(RAW).encode()),), b"{}"),
        ((("baggage", f"caller_token={NUMBER}".encode()),), b"{}"),
        ((("caller_token", b"\xff" + NUMBER.encode()),), None),
        ((("ce_specversion", b"1.0"), ("ce_source", b"acd")), json.dumps(RAW).encode()),
        ((("ce_specversion", b"1.0"), ("ce_source", b"acd"), ("ce_caller_token", NUMBER.encode())), b"{"),
    ],
)
def test_headers_are_also_searched(headers: Headers, value: bytes | None) -> None:
    """A dead letter keeps them. In binary mode, a record is counted under the source in its header."""
    reason, detail, counted = refusal_of(Record(5, NOON_MS, b"17", value, headers))
    assert reason == reasons.RAW_IDENTIFIER
    assert "96000" not in detail
    assert counted == {"acd" if len(headers) > 1 and headers[1][0] == "ce_source" else "other": 1}


@pytest.mark.parametrize("said", [TOKEN.encode(), None])
def test_a_token_or_null_in_a_header_is_not_a_raw_identifier(said: bytes | None) -> None:
    """As in a value."""
    late = record(arrival_ms=NOON_MS + 2 * DAY_MS, headers=(("ce_caller_token", said), ("caller", NUMBER.encode())))
    assert refusal_of(late)[0] == reasons.LATE


def test_an_error_in_our_own_code_neither_shows_nor_logs_any_of_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback may contain any value in scope."""

    class Faulty(Admission):
        def admit(self, record: Record) -> Arrived:
            raise ZeroDivisionError(record.value)

    rules = Faulty("calls", 0, 4, history_sources=(), lateness_ms=1, future_ms=1, keeping_ms=1)
    (found,) = BatchAdmission("watchroom.calls", 0, rules).admit([record(data=RAW)], known={"17"}).refused
    assert found.why.reason == reasons.RAW_IDENTIFIER
    assert NUMBER not in "".join(capsys.readouterr())


@pytest.mark.parametrize("data", [{"caller_token": TOKEN}, {"caller_token": None}, {"agent_token": NUMBER}, {}])
def test_a_record_without_a_raw_identifier_keeps_its_reason(data: dict[str, Any]) -> None:
    """Its dead letter can be read and sent again; `agent_token` is not one of the fields."""
    late = record(data=data, arrival_ms=NOON_MS + 2 * DAY_MS)
    assert refusal_of(late)[0] == reasons.LATE
    written_wide = late._replace(value=json.dumps(fields(data=data), indent=2).encode())
    assert refusal_of(written_wide)[0] == reasons.LATE
    as_text = record(data=json.dumps(data, separators=(",", ":")))
    assert refusal_of(as_text)[0] == reasons.BAD_DATA


def test_only_the_beginning_of_a_highly_compressed_value_is_read() -> None:
    """A dead letter may cost time, but not memory."""
    assert raw_identifier(zlib.compress(bytes(20 * 1024 * 1024))) is None
    assert raw_identifier(b"\x1f\x8b no gzip after all") is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_searched(value: bytes) -> None:
    """Refused bytes may be anything, and the search must not fail on them."""
    assert raw_identifier(value) is None or b"token" in value or b"\\u" in value


@given(st.text(max_size=40).filter(lambda text: text != TOKEN), st.sampled_from(FIELDS), st.booleans())
def test_no_text_other_than_a_token_is_accepted(text: str, name: str, ascii_only: bool) -> None:
    """However JSON writes it."""
    value = json.dumps({"data": {name: text}}, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    assert (raw_identifier(value) is None) is False


@pytest.mark.timeout(5)
@pytest.mark.parametrize("filler", [b"\\", b" ", b'"', b'caller_token"', b"token\\u0061", b'caller_token" : '])
def test_the_time_of_the_search_is_linear_in_the_number_of_bytes(filler: bytes) -> None:
    """Somebody may send a megabyte of text that makes a pattern backtrack again and again."""
    raw_identifier(b"token" + filler * (1_000_000 // len(filler)))


def test_a_raw_identifier_is_counted_under_the_source_that_sent_it() -> None:
    """The alert names who must be called: a declared source, any source if none is declared, otherwise `other`."""
    assert refusal_of(record(data=RAW))[2] == {"acd": 1}
    assert refusal_of(record(data=RAW), sources=("acd",))[2] == {"acd": 1}
    assert refusal_of(record(data=RAW), sources=("ivr",))[2] == {OTHER: 1}
    assert refusal_of(record(data=RAW, source="a\nb"))[2] == {OTHER: 1}
    assert refusal_of(record()._replace(value=value_of(data=RAW)[:-2]))[2] == {OTHER: 1}
    assert source_of(b"[]") is source_of(None) is source_of(b'{"source": 7}') is None


def test_details_about_other_free_text_show_only_its_type() -> None:
    """`reason` may name people, and so may a text that stands where `data` should be an object."""
    for data in ({"reason": 1632960001}, {"reason": [NUMBER]}, NUMBER, 1632960001, {"reason": NUMBER * 400}):
        error = refused(value_of(data=data))
        assert error.reason == reasons.BAD_DATA
        assert "96000" not in error.detail
    assert "data.reason is a number; write a string" in refused(value_of(data={"reason": 1632960001})).detail
    assert "data.reason has 4,800 characters" in refused(value_of(data={"reason": NUMBER * 400})).detail
