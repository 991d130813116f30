"""One deployment for all tests of the doctor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import new_name
from tests.doctor.deployment import Deployment, deployment
from tests.parts import PartMissing, missing


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment in which everything works; tests change only their own settings, topics and keys."""
    try:
        with deployment(tmp_path_factory.mktemp("doctor"), new_name()) as made:
            yield made
    except PartMissing as error:
        missing(str(error))
