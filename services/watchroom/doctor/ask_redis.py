"""Asks Redis: INFO, our rights, and what it holds of this force. Writes nothing."""

from __future__ import annotations

import time
from typing import Final

from watchroom.doctor.facts import Redis
from watchroom.errors import StoreUnavailable
from watchroom.settings import Settings
from watchroom.store.inspect import Inspection, inspect
from watchroom.store.meta import Meta
from watchroom.store.read import Reader

TIMEOUT_S: Final = 4.0


def ask_redis(settings: Settings) -> Redis:
    """What Redis says; the first failure ends it."""
    inspection: Inspection | None = None
    meta: Meta | None = None
    reader = Reader(settings.redis, settings.force, TIMEOUT_S)
    try:
        inspection = inspect(settings.redis, settings.force, TIMEOUT_S)
        meta = reader.meta()
        partitions, sources = reader.partitions(), reader.sources()
        return Redis("", inspection, meta, partitions, sources, time.time_ns() // 1_000_000)
    except StoreUnavailable as error:
        return Redis(str(error), inspection, meta)
    finally:
        reader.close()
