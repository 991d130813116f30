"""A Redis filled by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exporter.control_room import NOON, ControlRoom
from tests.flow.servers import RedisServer
from watchroom.settings import read_settings
from watchroom.streams import STREAMS


@pytest.fixture
def room(redis_server: RedisServer) -> Iterator[ControlRoom]:
    """Every stream is fed, fresh and alive as of NOON; nothing has happened."""
    client = redis_server.client()
    settings = read_settings(redis_url=redis_server.url, force="staffs", streams=tuple(STREAMS))
    yield ControlRoom(client, settings).begin(NOON)
    client.close()
