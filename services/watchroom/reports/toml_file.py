"""Reads a TOML file of the report, checked against the type of its content."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from watchroom.catalogue.faults import of_file, shape_faults
from watchroom.entered import toml_tables
from watchroom.errors import ConfigurationInvalid

Content = TypeVar("Content")


def toml_file(path: Path, form: type[Content]) -> Content:
    """The content of a TOML file, as this type describes it.

    Raises:
        ConfigurationInvalid: It does not exist, is not TOML, or has the wrong structure; every fault is listed.
    """
    try:
        return TypeAdapter(form).validate_python(toml_tables(path))
    except ValidationError as error:
        known = tuple(form.model_fields) if issubclass(form, BaseModel) else ()
        faults = [of_file(fault, path.name) for fault in shape_faults(known, str(path), "", error)]
        raise ConfigurationInvalid(faults) from error
