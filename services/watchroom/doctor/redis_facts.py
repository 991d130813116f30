"""Reads INFO, our rights and what Redis holds of this force. Writes nothing."""

from __future__ import annotations

from typing import Final

from watchroom import timing
from watchroom.doctor.facts import Redis
from watchroom.errors import StoreUnavailable
from watchroom.settings import Settings
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.rights import missing_rights

TIMEOUT_S: Final = 4.0


def redis_facts(settings: Settings) -> Redis:
    """Facts from Redis, up to the first failure."""
    said = Redis()
    reader = Reader(settings.redis, settings.force, TIMEOUT_S)
    try:
        said = said._replace(info=reader.info(), missing_rights=missing_rights(settings.redis, Keys(settings.force)))
        said = said._replace(meta=reader.meta(), partition_counts=reader.partition_counts())
        said = said._replace(partitions=reader.partitions(), sources=reader.sources())
        return said._replace(read_ms=timing.now_ms())
    except StoreUnavailable as error:
        return said._replace(failure=str(error))
    except UnicodeError:
        return said._replace(failure="has an invalid host name")
    finally:
        reader.close()
