"""Every key, event field, setting, metric, command option and reason of a dead letter is on a page, with a meaning."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field

from tests.parts import ROOT
from watchroom import cli
from watchroom.catalogue.areas import read_areas
from watchroom.catalogue.entry import MeasureEntry
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import all_families
from watchroom.cli import files_reference, reference
from watchroom.errors import SETTINGS_PAGE, ConfigurationInvalid, Fault
from watchroom.events import reasons
from watchroom.generate import catalogue_page, event_fields_page, settings_page
from watchroom.generate.outputs import generate
from watchroom.generate.rules.links import load_links
from watchroom.importer import mapping_reference
from watchroom.kinds import KINDS
from watchroom.reference_rows import Row, rows
from watchroom.reports.baselines import load_baselines
from watchroom.reports.sections import load_layout
from watchroom.settings import PREFIX, Settings, read_settings

PROGRAM = typer.main.get_command(cli.app)
MAPPING_KEYS = {
    f"{part.title}: {row.name}": row for part in mapping_reference.PARTS for row in mapping_reference.rows_of(part)
}
EVENT_FIELDS = event_fields_page.documented(ROOT)
PAGES = ("catalogue", "commands", "events", "mapping", "metrics", "schemas-files")


def undocumented(page: str, meanings: Mapping[str, str]) -> list[str]:
    """The names that are missing from a page, or whose meaning is missing.

    A name is a heading or in a table's first column: `replay: --map` is `--map` below the heading `replay`.
    """
    named, heading = set(), ""
    for line in re.sub(r'`|<a id="[^"]*"></a>', "", page).splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
            named.add(heading)
        elif line.startswith("| "):
            for name in line[2:].partition(" | ")[0].partition(" (")[0].split(", "):
                named |= {name, f"{heading}: {name}"}
    return [name for name, meaning in meanings.items() if name.replace("`", "") not in named or not meaning.strip()]


def documented_options(program: Any) -> dict[str, str]:
    """`command: option` -> its meaning, and `command` -> what it does."""
    found = {}
    for name, command in reference.commands(program):
        found[name] = str(command.help or "")
        found |= {f"{name}: {option.opts[0]}": str(option.help or "") for option in command.params}
    return found


def meanings_of(found: Mapping[str, Row] | Mapping[str, event_fields_page.FieldRow]) -> dict[str, str]:
    """The meaning of each row of a reference page."""
    return {name: row.meaning for name, row in found.items()}


def documented() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """What must be documented: by name, the page and each meaning."""
    catalogue = load_catalogue(ROOT / "schemas" / "measures", Settings.model_fields["areas"].default)
    return {
        "a key of the catalogue": (
            "docs/reference/catalogue.md",
            meanings_of(catalogue_page.documented()),
        ),
        "a key of a mapping": (
            "docs/reference/mapping.md",
            meanings_of(MAPPING_KEYS),
        ),
        "a key of another file": (
            "docs/reference/schemas-files.md",
            meanings_of(files_reference.documented()),
        ),
        "a field of an event": (
            "docs/reference/events.md",
            meanings_of(EVENT_FIELDS),
        ),
        "a setting": (
            "deploy/settings.md",
            {f"WATCHROOM_{name.upper()}": field.description or "" for name, field in Settings.model_fields.items()},
        ),
        "a metric": (
            "docs/reference/metrics.md",
            {name: family.about for name, family in all_families(catalogue).items()},
        ),
        "an option of a command": (
            "docs/reference/commands.md",
            {_typed(name): meaning for name, meaning in documented_options(PROGRAM).items()},
        ),
        "a reason of a dead letter": ("schemas/events/README.md", reasons.MEANINGS),
    }


def _typed(name: str) -> str:
    """Arguments are shown in capitals."""
    command, separator, option = name.rpartition(": ")
    return f"{command}: {option.upper()}" if separator and not option.startswith("-") else name


@pytest.mark.parametrize("what", documented())
def test_everything_that_people_may_write_or_read_is_on_a_page(what: str) -> None:
    """A key that is on no page can only be found by reading the code."""
    page, meanings = documented()[what]
    assert meanings
    assert undocumented((ROOT / page).read_text("utf-8"), meanings) == []


@pytest.mark.parametrize("what", documented())
def test_a_name_without_a_page_or_a_meaning_is_found(what: str) -> None:
    """The check above in cases where it must fail: a new name, and one without a meaning."""
    page, meanings = documented()[what]
    last = list(meanings)[-1]
    planted = {**meanings, "planted: not_on_the_page": "It is new.", last: " "}
    assert undocumented((ROOT / page).read_text("utf-8"), planted) == [last, "planted: not_on_the_page"]


def test_the_pages_of_commands_and_mappings_are_up_to_date() -> None:
    """`watchroom generate` makes them from the command line, so `tests/generate` does not check them."""
    said: list[str] = []
    pages = reference.outputs(PROGRAM)
    assert generate(ROOT, check=True, outputs={}, more=pages, say=said.append), "".join(said)


def test_every_page_of_the_reference_is_in_the_navigation() -> None:
    """Nobody reads a page that cannot be reached."""
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert [name for name in PAGES if f"docs/reference/{name}.md" not in navigation] == []


# ------------------------------------------------------------------------------------------ the rows


def test_a_new_key_without_a_docstring_has_no_meaning() -> None:
    """So that the check above finds it."""

    class Planted(BaseModel):
        model_config = ConfigDict(use_attribute_docstrings=True)

        told: int = Field(default=3, ge=1)
        """How many. Example: `told = 5`."""
        untold: Literal["a", "b"] | None = None
        texts: dict[str, list[Annotated[str, Field(min_length=3)]]]

    assert list(rows(Planted)) == [
        Row("told", "whole number, 1 or more", "3", False, "How many.", "told = 5"),
        Row("untold", 'one of `"a"`, `"b"`', "", False, "", ""),
        Row("texts", "table of (list of texts)", "", True, "", ""),
    ]


def test_a_new_option_without_help_has_no_meaning() -> None:
    """So that the check above finds it."""
    app = typer.Typer()

    @app.command("first")
    def first(planted: int = 1) -> None:
        """Say nothing."""

    @app.command("second")
    def second() -> None:
        """Say nothing either."""

    found = documented_options(typer.main.get_command(app))
    assert found["watchroom first: --planted"] == ""


def test_every_own_key_of_a_kind_says_what_it_means() -> None:
    """The meaning is written where the key is declared."""
    assert [key.name for kind in KINDS.values() for key in kind.own_keys if not key.about] == []


def test_no_meaning_is_left_of_a_removed_mapping_key() -> None:
    """Nobody would find it."""
    for part in mapping_reference.PARTS:
        keys = {field.alias or name for name, field in part.model.model_fields.items()}
        assert part.meanings.keys() - keys == set(), part.title


EXAMPLES = [*catalogue_page.documented().items(), *MAPPING_KEYS.items(), *files_reference.documented().items()]


@pytest.mark.parametrize(("name", "row"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_example_is_valid_toml_with_its_key(name: str, row: Row) -> None:
    """An example that cannot be copied is worse than none."""
    assert list(tomllib.loads(row.example)) == [row.name], name


MODELS: dict[str, type[BaseModel]] = {
    **{f"{place}: ": model for place, model in catalogue_page.TABLES.items()},
    **{f"{part.title}: ": part.model for part in mapping_reference.PARTS},
    # backwards, because the title of a table begins with that of its file
    **{f"{part.title}: ": part.model for part in reversed(files_reference.PARTS)},
}


def model_of(name: str) -> type[BaseModel]:
    """The model of a key."""
    return next((each for begins, each in MODELS.items() if name.startswith(begins)), MeasureEntry)


def keys_of(model: type[BaseModel]) -> set[str]:
    """Its keys as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}


# A key of one kind is in no model: tests/catalogue checks its example.
IN_A_MODEL = [(name, row) for name, row in EXAMPLES if row.name in keys_of(model_of(name))]


@pytest.mark.parametrize(("name", "row"), IN_A_MODEL, ids=[name for name, _ in IN_A_MODEL])
def test_every_example_has_a_value_that_its_key_accepts(name: str, row: Row) -> None:
    """Checked by the model itself: no fault of an example is about the key's own value."""
    model = model_of(name)
    try:
        model.model_validate(tomllib.loads(row.example))
    except ValueError as error:
        errors: list[dict[str, Any]] = getattr(error, "errors")()  # noqa: B009  # pydantic's
        of_the_key = [each for each in errors if each["loc"] and each["loc"][0] == row.name and len(each["loc"]) == 1]
        assert of_the_key == []


# ------------------------------------------------------------------------------------------ the settings


SETTING_EXAMPLES = {name: settings_page.example(name) for name in Settings.model_fields}


def test_every_setting_has_an_example() -> None:
    """Nobody should have to guess the form of a value."""
    assert [name for name, example in SETTING_EXAMPLES.items() if not example] == []


def test_the_examples_of_the_settings_are_one_configuration_that_is_accepted() -> None:
    """An example that cannot be copied is worse than none; some settings need or exclude each other."""
    Settings.model_validate(SETTING_EXAMPLES)


@pytest.mark.parametrize("name", ["fresh_s", "zone", "sources", "redis_url"])
def test_an_example_that_is_not_accepted_is_found(name: str) -> None:
    """The check above in cases in which it fails."""
    with pytest.raises(ValueError, match=name):
        Settings.model_validate({**SETTING_EXAMPLES, name: "-1"})


def anchors(path: str) -> set[str]:
    """What a link to a page can name."""
    page = (ROOT / path).read_text("utf-8")
    headings = (line.lstrip("#").strip() for line in page.splitlines() if line.startswith("#"))
    of_headings = (re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return {*re.findall(r'<a id="([^"]*)"></a>', page), *of_headings}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_error_about_a_setting_links_to_its_row(name: str) -> None:
    """Somebody who wrote a value that cannot be used is one step from what can."""
    page, _, anchor = Fault(f"{PREFIX}{name.upper()}", "", "this", "that").see.partition("#")
    assert page == SETTINGS_PAGE
    assert anchor in anchors(page)
    assert f'<a id="{anchor}"></a>`{PREFIX}{name.upper()}` |' in (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("FRESH_S", "-1"), ("ZONE", "nowhere"), ("SOURCES", '{"calls": {"acd": {"heartbeat": true}}}'), ("SOURCES", "{")],
)
def test_the_message_about_a_wrong_value_ends_with_the_link(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link stands at the end, as in an error about a key of the catalogue."""
    monkeypatch.setenv(f"{PREFIX}{setting}", value)
    with pytest.raises(ConfigurationInvalid) as refused:
        read_settings()
    assert str(refused.value).endswith(f" (see {SETTINGS_PAGE}#watchroom_{setting.lower()})")


def test_an_unknown_setting_links_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no row."""
    monkeypatch.setenv("WATCHROOM_COLOUR", "blue")
    with pytest.raises(ConfigurationInvalid) as refused:
        read_settings()
    assert str(refused.value).endswith(" (see deploy/settings.md)")


# ------------------------------------------------------------------------------------------ the fields of events


NEVER_GIVEN = {f"{event_fields_page.ENVELOPE}: data_base64"}


def test_every_field_of_an_event_has_a_default_and_an_example() -> None:
    """The example comes from an event that is accepted; a new field must be in one."""
    assert [name for name, row in EVENT_FIELDS.items() if not row.example and name not in NEVER_GIVEN] == []
    assert [name for name, row in EVENT_FIELDS.items() if not row.default] == []


def test_a_field_that_no_example_event_has_is_found(tmp_path: Path) -> None:
    """The check above in a case in which it fails."""
    folder = tmp_path / event_fields_page.EXAMPLES
    shutil.copytree(ROOT / event_fields_page.EXAMPLES, folder)
    example = folder / "return.figure.json"
    event = json.loads(example.read_text("utf-8"))
    del event["data"]["reported_by"]
    example.write_text(json.dumps(event), encoding="utf-8")
    assert event_fields_page.documented(tmp_path)["return.figure: reported_by"].example == ""


def test_no_default_is_left_of_a_field_that_is_gone() -> None:
    """It would be found by nobody."""
    types = {**event_fields_page.TYPES, event_fields_page.ENVELOPE: [event_fields_page.ENVELOPE]}
    for where, defaults in event_fields_page.IF_ABSENT.items():
        rows_there = [row for name in types[where] for key, row in EVENT_FIELDS.items() if key.startswith(f"{name}: ")]
        assert set(defaults.values()) - {row.default for row in rows_there} == set(), where


# ------------------------------------------------------------------------------------------ other files of schemas


def refused(schemas: Path, name: str) -> tuple[Fault, ...]:
    """What the loader of a file finds wrong with it."""
    if name == "areas.toml":
        return tuple(read_areas(Path(name), schemas)[1])
    load: Mapping[str, Callable[[], object]] = {
        "report.toml": lambda: load_layout(schemas),
        "baselines.toml": lambda: load_baselines(schemas),
        "links.toml": lambda: load_links(schemas.parent),
    }
    with pytest.raises(ConfigurationInvalid) as caught:
        load[name]()
    return caught.value.faults


OTHER_FILES = ("areas.toml", "report.toml", "baselines.toml", "links.toml")


@pytest.mark.parametrize("name", OTHER_FILES)
def test_an_error_about_a_file_links_to_its_section(name: str, tmp_path: Path) -> None:
    """Its keys are one step away."""
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    text = (ROOT / "schemas" / name).read_text("utf-8")
    planted = text.replace("words =", "planted = 1\nwords =", 1) if name == "baselines.toml" else f"planted = 1\n{text}"
    (schemas / name).write_text(planted, encoding="utf-8")
    (fault,) = refused(schemas, name)
    assert fault.key.endswith("planted")
    page, _, anchor = fault.see.partition("#")
    assert anchor in anchors(page)
    assert anchor == name.replace(".", "")


def test_every_other_file_of_schemas_is_on_the_page() -> None:
    """A new file needs a section. published_year.toml is a transcript of the report, which nobody configures."""
    files = {path.name for path in (ROOT / "schemas").glob("*.toml")} - {"published_year.toml"}
    assert files == {part.title for part in files_reference.PARTS if ": " not in part.title} == set(OTHER_FILES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('exporter = "http://127.0.0.1:9464"', "grafana: found nothing; write `grafana = ...`"),
        (
            'exporter = "127.0.0.1"\ngrafana = "http://127.0.0.1:3000"',
            "found '127.0.0.1'; write an address that starts",
        ),
    ],
)
def test_links_that_cannot_be_used_are_reported(text: str, told: str, tmp_path: Path) -> None:
    """As faults of every other file, and not as a key that Python does not find."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "links.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match=re.escape(told)):
        load_links(tmp_path)
