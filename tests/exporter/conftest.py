"""A Redis filled by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exporter.store import NOON, ExporterStore
from tests.flow.servers import RedisServer
from watchroom.settings import read_settings
from watchroom.streams import STREAMS


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[ExporterStore]:
    """Every stream is fed, fresh and alive as of NOON; nothing has happened."""
    client = redis_server.client()
    settings = read_settings(redis_url=redis_server.url, force="staffs", streams=tuple(STREAMS))
    yield ExporterStore(client, settings).begin(NOON)
    client.close()
