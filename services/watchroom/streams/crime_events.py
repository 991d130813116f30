"""What the events of crimes say; `crimes` folds them."""

from __future__ import annotations

from typing import Annotated, Final, NotRequired

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from watchroom.events.envelope import (
    Data,
    LooseText,
    LooseTexts,
    LooseTime,
    Prose,
    ReasonData,
    RequiredText,
    Text,
    event,
)
from watchroom.events.tokens import RequiredToken, Token


class CrimeData(Data):
    """Fields that several crime events may have."""

    area: NotRequired[Text]
    """One of the force's areas; any other value is counted as `other`."""
    reported_at: NotRequired[LooseTime]
    """When the crime was reported to the police: RFC 3339 with an offset."""
    incident_id: NotRequired[LooseText]
    """Subject of the incident that led to the crime record."""
    flags: NotRequired[LooseTexts]
    """Any of `domestic_abuse`, `knife`, `firearm`, `online`, `keyless`. The latest list counts; `[]` clears it."""
    victim_gender: NotRequired[LooseText]
    """`female`, `male` or `other`."""
    victim_token: NotRequired[Token]
    """A token for the victim, as made by `watchroom token --kind person`."""
    reason: NotRequired[Prose]
    """The reason, in the producer's own words. No figure depends on it."""


class CrimeClass(CrimeData):
    """The class of a crime."""

    offence_code: NotRequired[Text]
    """Home Office offence code; group, subgroup and category are looked up in `schemas/reference`."""
    group: NotRequired[Text]
    """Home Office offence group by name; takes precedence over the group looked up from the code."""
    category: NotRequired[Text]
    """police.uk category; takes precedence over the category looked up from the code."""


class OutcomeData(Data):
    """The outcome of a crime."""

    outcome: RequiredText
    """Home Office outcome code as text: `1`, `1A`, ... `22`; any other value is counted as `other`."""


class SuspectData(Data):
    """The suspect."""

    suspect_token: RequiredToken
    """A token for the suspect, as made by `watchroom token --kind person`."""
    reason: NotRequired[Prose]
    """The reason, in the producer's own words. No figure depends on it."""


CLASS_FIELDS: Final = ("offence_code", "group", "category")


def names_a_class(data: CrimeClass) -> CrimeClass:
    """Refuse a new class without any of its three fields."""
    if not any(data.get(word) for word in CLASS_FIELDS):
        raise ValueError("gives no class; write at least one of offence_code, group and category")
    return data


def _says(word: str) -> JsonDict:
    """JSON Schema for: this field is present and not empty."""
    return {"required": [word], "properties": {word: {"type": "string", "minLength": 1}}}


_ClassNamed = Annotated[
    CrimeClass,
    AfterValidator(names_a_class),
    Field(json_schema_extra={"anyOf": [_says(word) for word in CLASS_FIELDS]}),
]

MODELS: Final = (
    event("crime.recorded", CrimeClass, "A crime was recorded."),
    event("crime.reclassified", _ClassNamed, "A crime was given a different class.", needs_data=True),
    event("crime.cancelled", ReasonData, "A recorded crime turned out not to be a crime."),
    event(
        "crime.outcome_assigned",
        OutcomeData,
        "A crime was given an outcome, for the first time or again.",
        needs_data=True,
    ),
    event("crime.validated", CrimeData, "A crime record was validated."),
    event("crime.allocated", CrimeData, "A crime was allocated to an officer, for the first time or again."),
    event("crime.victim_informed", ReasonData, "The victim was told who is dealing with the crime."),
    event("crime.contract_completed", ReasonData, "The victim contract of a crime was completed."),
    event("crime.gateway_transferred", ReasonData, "The victim's details were passed to the victims' gateway."),
    event("crime.suspect_linked", SuspectData, "A suspect was linked to a crime.", needs_data=True),
    event("crime.suspect_unlinked", SuspectData, "A suspect is no longer linked to a crime.", needs_data=True),
)
