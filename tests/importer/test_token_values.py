"""Values that become tokens: the original text is neither sent nor shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.events.test_tokeniser import KEY, MAKER
from tests.importer.extracts import MapText
from watchroom.errors import ConfigurationInvalid
from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.convert import Conversion
from watchroom.importer.mapping import check_mapping
from watchroom.importer.rows import check_files
from watchroom.importer.token_key import OF_THE_RUN, tokeniser
from watchroom.settings import read_settings

AT = "2021-11-30 09:00:00"
CALLER = {"column": "cli", "token": "telephone"}
LOG: dict[str, Any] = {
    "source": "log", "about": "One row a call.", "time": {"zone": "UTC"}, "entity": {"key": "id"},
    "event": [{"type": "call.presented", "time": "at", "data": {"caller_token": CALLER}}],
}  # fmt: skip


def event(**change: Any) -> dict[str, Any]:
    """The mapping with a changed event."""
    return {**LOG, "event": [{**LOG["event"][0], **change}]}


def test_a_value_becomes_its_token_and_a_blank_cell_is_absent(map_text: MapText) -> None:
    """However the number is written in the extract."""
    rows = f"id,at,cli\n1,{AT},01632 960001\n2,{AT},+44 1632 960001\n3,{AT}, \n"
    made = map_text(LOG, rows, tokens=MAKER)
    token = MAKER.token("telephone", "01632 960001")
    assert [dict(e.data) for e in made.events] == [{"caller_token": token}, {"caller_token": token}, {}]
    assert made.refused == []


def test_two_columns_can_form_one_address(map_text: MapText) -> None:
    """A location is a pair of coordinates; half a pair is not one."""
    data = {"agent_token": {"join": ["lon", "lat"], "token": "address"}}
    made = map_text(event(data=data), f"id,at,lon,lat\n1,{AT},-2.1,52.8\n2,{AT},-2.1,\n", tokens=MAKER)
    assert [dict(e.data) for e in made.events] == [{"agent_token": MAKER.token("address", "-2.1 52.8")}, {}]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (
            "WITHHELD",
            "f0.csv:2: data.caller_token: cannot make the telephone token from cli: it is not a telephone number",
        ),
        (
            "960001",
            "f0.csv:2: data.caller_token: cannot make the telephone token from cli: it is too short or too long for a",
        ),
    ],
)
def test_a_text_that_cannot_be_normalised_refuses_its_row_and_is_not_shown(
    map_text: MapText, cells: str, says: str
) -> None:
    """The other rows are used."""
    made = map_text(LOG, f"id,at,cli\n1,{AT},{cells}\n2,{AT},01632 960001\n", tokens=MAKER)
    (refused,) = made.refused
    assert refused.startswith(says)
    assert cells not in refused
    assert [e.subject for e in made.events] == ["2"]


def test_a_row_refused_for_another_reason_does_not_show_the_text_either(map_text: MapText) -> None:
    """A wrong time, different numbers in the rows of one call, or two different events with one id."""
    together = event(per="entity") | {"entity": {"key": "id", "rows": "together"}}
    twice = f"1,{AT},01632 960001\n1,{AT},01632 960002\n"
    for document, rows in [(LOG, "1,noon,01632 960001\n"), (together, twice)]:
        (refused,) = map_text(document, "id,at,cli\n" + rows, tokens=MAKER).refused
        assert "96000" not in refused
        assert MAKER.token("telephone", "01632 960001") not in refused


def test_a_number_mapped_without_a_token_refuses_its_row_and_is_not_shown(map_text: MapText) -> None:
    """A mapping in which `token` was forgotten sends nothing."""
    rows = f"id,at,cli\n1,{AT},01632 960001\n"
    made = map_text(event(data={"caller_token": "cli"}), rows)
    assert made.events == []
    assert "caller_token may hold something other than a token" in made.refused[0]
    assert "96000" not in made.refused[0]


def test_the_subject_of_a_row_without_a_key_is_derived_from_tokens(map_text: MapText) -> None:
    """With a plain digest of the row, the number could be found by trying all numbers."""
    keyless = {**LOG, "entity": {"key": "#line"}}
    rows = f"at,cli\n{AT},01632 960001\n{AT},01632 960002\n"
    subjects = [e.subject for e in map_text(keyless, rows, tokens=MAKER).events]
    again = [e.subject for e in map_text(keyless, rows, tokens=MAKER).events]
    other = [e.subject for e in map_text(keyless, rows, tokens=Tokeniser(KEY + b"!", "k1", "GB")).events]
    assert subjects == again
    assert len({*subjects, *other}) == 4
    plain = {**keyless, "event": [{"type": "call.presented", "time": "at"}]}
    assert not {e.subject for e in map_text(plain, rows).events} & {*subjects}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            {**LOG, "entity": {"key": "cli"}},
            "entity.key: found 'cli' without `token`, although another key makes a token of it; write",
        ),
        (
            {**LOG, "entity": {"key": "id", "otherwise_key": "cli"}},
            "entity.otherwise_key: found 'cli' without `token`, although",
        ),
        (
            {**LOG, "time": {"zone": "UTC", "formats": "%H:%M", "day_from": {"join": ["at", "cli"]}}},
            "time.day_from: found 'cli' without `token`, although another key",
        ),
        (
            {**LOG, "entity": {"key": "id", "count": "cli"}},
            "entity.count: found 'cli' without `token`, although another key",
        ),
        (event(key="cli"), "1st [[event]].key: found 'cli' without `token`, although another key"),
        (
            event(data={"caller_token": CALLER, "queue": "cli"}),
            "1st [[event]].data.queue: found 'cli' without `token`, although",
        ),
        (
            event(time={"column": "at", "plus_seconds": "cli"}),
            "1st [[event]].time: found 'cli' without `token`, although",
        ),
        (event(data={"caller_token": {**CALLER, "order_by": "cli"}}), "`order_by"),
        (
            event(time={"column": "at", "token": "person"}),
            "1st [[event]].time.token: found 'person'; write the value without `token`",
        ),
        (event(data={"caller_token": {**CALLER, "token": "email"}}), "data.caller_token.token: found 'email'; write"),
        (event(data={"caller_token": {**CALLER, "map": "x"}}), "data.caller_token.map: found 'x' on a token; write"),
        (
            event(data={"caller_token": {"constant": "01632 960001", "token": "telephone"}}),
            "write the constant without `token`",
        ),
    ],
)
def test_a_mapping_that_would_show_or_send_the_original_text_is_refused(document: dict[str, Any], says: str) -> None:
    """In another field, a key or a time, the same number would no longer be a token."""
    with pytest.raises(ConfigurationInvalid) as caught:
        check_mapping(document, "m.toml")
    assert any(says in str(fault) for fault in caught.value.faults)


def test_a_condition_may_read_a_column_that_becomes_a_token(map_text: MapText) -> None:
    """So that a withheld number leaves out only the field; the text itself is never passed on."""
    common = {"type": "call.presented", "time": "at"}
    known = {**common, "when": [{"column": "cli", "is_not": ["WITHHELD"]}], "data": {"caller_token": CALLER}}
    withheld = {**common, "when": [{"column": "cli", "is": ["WITHHELD"]}]}
    document = {**LOG, "event": [known, withheld], "skip": [{"column": "cli", "is": ["TEST"], "reason": "no call"}]}
    rows = f"id,at,cli\n1,{AT},WITHHELD\n2,{AT},01632 960001\n3,{AT},TEST\n"
    made = map_text(document, rows, tokens=MAKER)
    assert [(e.subject, bool(e.data)) for e in made.events] == [("1", False), ("2", True)]


@pytest.mark.parametrize(
    "content", [f"1,{AT},01632 960001\n2,{AT},01632 960002\n", "01632 960001;x\n", "01632 960001,01632 960001\n"]
)
def test_a_file_without_its_header_line_is_refused_and_its_first_row_is_not_shown(tmp_path: Path, content: str) -> None:
    """Its first line is then a row, not a header."""
    path = tmp_path / "f.csv"
    path.write_text(content)
    with pytest.raises(ConfigurationInvalid) as caught:
        check_files([path], check_mapping(LOG, "m.toml"))
    assert "96000" not in str(caught.value)


def test_a_mapping_with_tokens_needs_a_tokeniser() -> None:
    """Otherwise the text itself would be sent."""
    with pytest.raises(TypeError):
        Conversion(check_mapping(LOG, "m.toml"), lambda _: None)


def test_the_embedded_stack_gets_a_new_key_for_each_run() -> None:
    """A first look needs no setup, and tokens of two runs never match."""
    settings = read_settings(token_key="")
    made = [tokeniser(settings, is_embedded=True).token("person", "A") for _ in range(2)]
    assert made[0] != made[1]
    assert all(token.startswith(f"{OF_THE_RUN}.") for token in made)
    with_key = read_settings(token_key=KEY.decode())
    assert tokeniser(with_key, is_embedded=True).token("person", "A") == MAKER.token("person", "A")


def test_a_key_is_required_on_given_servers() -> None:
    """Tokens made with a key that is lost after the run would never match any others."""
    with pytest.raises(ConfigurationInvalid) as caught:
        tokeniser(read_settings(token_key="", token_country="XX"))
    assert [fault.where for fault in caught.value.faults] == ["WATCHROOM_TOKEN_COUNTRY", "WATCHROOM_TOKEN_KEY"]
    assert caught.value.exit_code == 2
