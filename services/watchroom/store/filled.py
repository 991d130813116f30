"""Whether what Redis holds may be read as ours: asked by every command that shows figures to people."""

from __future__ import annotations

from watchroom.catalogue.model import Catalogue
from watchroom.errors import RebuildNeeded, WorkFailed
from watchroom.settings import Settings
from watchroom.store.definition import as_json, definition_of, fingerprint, what_changed
from watchroom.store.read import Meta, Reader


def check_filled(reader: Reader, settings: Settings, catalogue: Catalogue) -> Meta:
    """Redis was filled, and under this catalogue and these settings: what it was filled under.

    Raises:
        WorkFailed: No worker has ever written there.
        RebuildNeeded: Its figures were made under other definitions; reading them as ours would be wrong.
        StoreUnavailable: Redis did not answer.
    """
    meta = reader.meta()
    if meta is None:
        raise WorkFailed(
            f"Redis holds nothing of force {settings.force!r}; check WATCHROOM_REDIS_URL and "
            "WATCHROOM_FORCE, and start `watchroom worker`"
        )
    ours = as_json(definition_of(settings, catalogue, meta.partitions))
    if fingerprint(ours) != meta.fingerprint:
        changed = what_changed(meta.definition, ours)
        raise RebuildNeeded(f"Redis was filled under another catalogue or other settings than these: {changed}")
    return meta
