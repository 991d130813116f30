"""The areas: one partition with aliases and groups, from a file or from a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, LABELS, TEXTS, with_platform_alerts
from tests.parts import ROOT
from watchroom.catalogue.areas import Areas, read_areas
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import ConfigurationInvalid
from watchroom.kinds.measure import Label, resolved
from watchroom.settings import Settings
from watchroom.store.definition import definition_of

SCHEMAS = ROOT / "schemas"
BY_AREA = COUNT.replace('"calls"', '"incidents"').replace("offered", "created") + 'by = { area = "area" }\n'
GOOD = """
values = ["north", "south_east", "south_west"]
aliases = { the_north = "north" }
groups = { south = ["south_east", "south_west"] }
"""
DISTRICTS = (
    "newcastle_under_lyme", "stafford", "lichfield", "tamworth", "east_staffordshire", "south_staffordshire",
    "cannock_chase", "staffordshire_moorlands",
)  # fmt: skip


def shipped() -> tuple[Areas, Label]:
    """The shipped areas, and the label that they give incidents."""
    catalogue = load_catalogue(SCHEMAS / "measures", Path("areas.toml"))
    return catalogue.areas, catalogue.measures["incidents_unattended"].labels[1]


def test_the_shipped_areas_are_one_partition_and_the_county_is_just_a_group() -> None:
    """13 values including those that every label has; the parts of a report and its residual use them."""
    areas, label = shipped()
    assert label.all_values() == ("stoke", *DISTRICTS, "county_unknown", "out_of_force", "unknown", "other")
    assert areas.groups == {"county": (*DISTRICTS, "county_unknown")}


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("county", "county_unknown"), ("County", "county_unknown"), ("Stoke-on-Trent UA", "stoke"),
        ("Stoke-on-Trent", "stoke"), ("Newcastle-under-Lyme", "newcastle_under_lyme"), ("Stafford", "stafford"),
        ("Lichfield", "lichfield"), ("Tamworth", "tamworth"), ("East Staffordshire", "east_staffordshire"),
        ("South Staffordshire", "south_staffordshire"), ("Cannock Chase", "cannock_chase"),
        ("Staffordshire Moorlands", "staffordshire_moorlands"), ("Out of force", "out_of_force"),
        ("Cheshire East", "other"), (None, "unknown"),
    ],
)  # fmt: skip
def test_an_area_is_counted_however_a_feed_spells_it(said: str | None, counted: str) -> None:
    """A force takes the local authorities' names from lists of LSOAs."""
    assert resolved(shipped()[1], said) == counted


def test_a_figure_may_be_for_a_group_which_is_then_a_value_of_its_own() -> None:
    """The published report has Stoke-on-Trent and the county; as `county_unknown` the county would be misread."""
    catalogue = load_catalogue(SCHEMAS / "measures", Path("areas.toml"))
    (label,) = catalogue.measures["gun_crime_published"].labels
    assert label.all_values() == ("stoke", *DISTRICTS, "county_unknown", "out_of_force", "county", "unknown", "other")
    said = ("County", "county_unknown", "Stoke-on-Trent UA", "Cheshire East", None)
    assert [resolved(label, each) for each in said] == ["county", "county_unknown", "stoke", "other", "unknown"]


def test_only_the_name_of_a_group_decides_what_figures_are_stored_under(tmp_path: Path) -> None:
    """An area can join a group without a rebuild; a renamed group is a new value for figures."""
    settings = Settings()

    def definition(text: str, stream: str) -> object:
        (tmp_path / "areas.toml").write_text(text)
        catalogue = load_catalogue(SCHEMAS / "measures", tmp_path / "areas.toml")
        return definition_of(settings, catalogue, stream, 4)

    smaller = GOOD.replace('south = ["south_east", "south_west"]', 'south = ["south_east"]')
    renamed = GOOD.replace("{ south =", "{ the_south =")
    assert len({GOOD, smaller, renamed}) == 3
    assert definition(smaller, "returns") == definition(GOOD, "returns")
    assert definition(renamed, "returns") != definition(GOOD, "returns")
    assert definition(renamed, "crimes") == definition(GOOD, "crimes")


def test_the_areas_file_of_another_force_is_read_from_the_schemas_folder(tmp_path: Path) -> None:
    """A relative path means the same in every process, whatever folder it was started in."""
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / "labels.toml").write_text(LABELS)
    (folder / "measures.toml").write_text(BY_AREA)
    (tmp_path / "north.toml").write_text(GOOD)
    catalogue = load_catalogue(with_platform_alerts(folder), Path("north.toml"))
    assert catalogue.areas == Areas(
        ("north", "south_east", "south_west"), {"the_north": "north"}, {"south": ("south_east", "south_west")}
    )
    label = catalogue.measures["calls_in"].labels[0]
    assert (label.values, label.aliases) == (catalogue.areas.values, catalogue.areas.aliases)


def test_a_list_has_neither_aliases_nor_groups(tmp_path: Path) -> None:
    """A force that lists its areas keeps its existing figures."""
    assert read_areas(("stoke", "county"), tmp_path) == (Areas(("stoke", "county")), [])


BAD = {
    "no TOML": ("values = [", "", "not readable as TOML", "valid TOML"),
    "no values": ("", "values", "nothing", "a list such as"),
    "values that are no list": ('values = "north"', "values", "'north'", "a list such as"),
    "an unknown key": (GOOD + "colour = 1", "colour", "'colour'", "one of values, aliases, groups"),
    "a value that no text becomes": ('values = ["North West"]', "values.0", "'North West'", "joined by _"),
    "a value that every label has": ('values = ["unknown"]', "values.0", "'unknown'", "are reserved"),
    "a value for all areas together": ('values = ["all"]', "values.0", "'all'", "are reserved"),
    "a value twice": ('values = ["a", "a"]', "values.1", "'a'", "each value only once"),
    "an alias of nothing": ('values = ["a"]\naliases = { b = "c" }', "aliases.b", "'c'", "the listed values"),
    "an alias that is a value": ('values = ["a", "b"]\naliases = { b = "a" }', "aliases.b", "'b'", "itself a value"),
    "a group of what is not listed": ('values = ["a"]\ngroups = { g = ["b"] }', "groups.g", "'b'", "the listed values"),
    "a title of nothing": ('values = ["a"]\ntitles = { b = "B" }', "titles.b", "'b'", "values or groups"),
    "a title without a text": ('values = ["a"]\ntitles = { a = "" }', "titles.a", "''", "the name that people use"),
    "titles that are no table": ('values = ["a"]\ntitles = "A"', "titles", "'A'", "a table"),
    "a group of nothing": ('values = ["a"]\ngroups = { g = [] }', "groups.g", "[]", "a list of values"),
    "a group that is an area": ('values = ["a"]\ngroups = { a = ["a"] }', "groups.a", "'a'", "another name"),
    "an area in two groups": (
        'values = ["a"]\ngroups = { g = ["a"], h = ["a"] }', "groups.h", "'a', which is already in g", "in one group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_fault_in_the_areas_is_reported_with_what_to_write(case: str, tmp_path: Path) -> None:
    """The file, the key inside it, what was found, what is accepted."""
    text, key, found, write = BAD[case]
    (tmp_path / "areas.toml").write_text(text)
    (fault,) = read_areas(Path("areas.toml"), tmp_path)[1]
    assert (fault.where, fault.key) == (str(tmp_path / "areas.toml"), key)
    assert found in fault.found
    assert write in fault.write


def test_every_fault_of_the_areas_and_of_the_measures_is_listed_at_once(tmp_path: Path) -> None:
    """One start of a process is enough to see everything that must be changed."""
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / "labels.toml").write_text(LABELS)
    (folder / "measures.toml").write_text(BY_AREA + f'[x]\nkind = "ratio"\nstream = "calls"\n{TEXTS}')
    (tmp_path / "areas.toml").write_text('values = ["a", "a", "B"]\naliases = { c = "d" }\ngroups = { g = ["e"] }\n')
    with pytest.raises(ConfigurationInvalid) as caught:
        load_catalogue(with_platform_alerts(folder), Path("areas.toml"))
    keys = [fault.key for fault in caught.value.faults]
    assert keys == ["values.1", "values.2", "aliases.c", "groups.g", "x.kind"]


@pytest.mark.parametrize("named", [("stoke", "all"), Path("none.toml")])
def test_areas_that_cannot_be_used_stop_the_start(named: tuple[str, ...] | Path) -> None:
    """`all` in a list would be mistaken for the sum; with a missing file there would be no area."""
    with pytest.raises(ConfigurationInvalid):
        load_catalogue(SCHEMAS / "measures", named)
