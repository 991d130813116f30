"""All our errors, grouped by what the caller does.

STOP   the command or process ends: 2 for wrong usage or configuration, 1 for work that failed.
DROP   one event or row is unusable: count it, keep it where a person can see it, go on.
RETRY  a server did not answer: nothing was written, trying again is safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SETTINGS_PAGE = "deploy/settings.md"
"""Every setting has an anchor there: its name in lower case."""
SETTING = "WATCHROOM_"
MOST_CHARS = 1000
"""Limit for text from a file or a feed in a message: a cell may have 256 KiB."""


def shortened(text: str) -> str:
    """Text for a message, in one line. Long text is cut in the middle: its end says what to write."""
    if text.splitlines() not in ([text], []):
        text = "".join(char.encode("unicode_escape").decode() if char.splitlines() == [""] else char for char in text)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS * 2 // 3]} [...] {text[-MOST_CHARS // 3 :]}"


class WatchroomError(Exception):
    """Base of all our errors; never raised itself."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file or a setting, and how to put it right."""

    where: str  # file, environment variable or argument
    key: str  # entry and key inside it, "" for the whole
    found: str
    write: str  # what to write instead
    page: str = ""  # documentation of the key; for a setting, `see` finds it

    def __str__(self) -> str:
        place = f"{self.where}: {shortened(self.key)}" if self.key else self.where
        see = f" (see {self.see})" if self.see else ""
        return f"{place}: found {shortened(self.found)}; write {shortened(self.write)}{see}"

    @property
    def see(self) -> str:
        """The page that explains the key or setting; empty if there is none."""
        is_setting = self.where.startswith(SETTING)
        return self.page or (f"{SETTINGS_PAGE}#{self.where.split()[0].lower()}" if is_setting else "")


class ConfigurationInvalid(WatchroomError):
    """STOP (2): a catalogue, mapping, setting or argument cannot be used. All faults at once."""

    exit_code = 2

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RebuildNeeded(WatchroomError):
    """STOP (2): what Redis holds was made under other definitions, or from another log."""

    exit_code = 2

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; run `watchroom rebuild`")


class PartitionsAdded(WatchroomError):
    """STOP (2): partitions were added to every stream that this worker could serve; one sentence for each."""

    exit_code = 2

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))


class OtherDefinitions(RebuildNeeded):
    """STOP for these streams, and (2) for the process if it has no others: Redis has other definitions of them.

    `streams`: by stream, what changed.
    """

    def __init__(self, found: str, streams: Mapping[str, str]) -> None:
        self.streams = dict(streams)
        alike: dict[str, list[str]] = {}
        for stream, changed in self.streams.items():
            alike.setdefault(changed, []).append(stream)
        said = "; ".join(f"{', '.join(names)}: {changed}" for changed, names in alike.items())
        super().__init__(f"{found}: {said}")


class DefinitionsReturned(WatchroomError):
    """STOP (1): Redis has this worker's definitions of streams that it left alone; after a restart it serves them."""

    def __init__(self, streams: Sequence[str]) -> None:
        which = "that stream" if len(streams) == 1 else "those streams"
        super().__init__(
            f"Redis holds {', '.join(streams)} under this worker's definition again; "
            f"the worker exits so that its supervisor restarts it with {which}"
        )


class WorkFailed(WatchroomError):
    """STOP (1): the work could not be done; the message says what to check."""


class EventRefused(WatchroomError):
    """DROP: one event is unusable; it goes to the dead letters with `reason` and `detail`.

    `reason` is one of a short closed list (it labels a metric); `detail` is a sentence for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class RowRefused(WatchroomError):
    """DROP: one row of an extract cannot become an event; reported with file and line.

    `swallowed_lines`: further lines that are lost with it, because a quote was not closed.
    `is_unclosed`: the file ends inside quotes, so it may be incomplete.
    """

    def __init__(self, where: str, detail: str, swallowed_lines: int = 0, *, is_unclosed: bool = False) -> None:
        self.where = where
        self.detail = detail = shortened(detail)
        self.swallowed_lines = swallowed_lines
        self.is_unclosed = is_unclosed
        super().__init__(f"{where}: {detail}")


class StoreUnavailable(WatchroomError):
    """RETRY: Redis did not answer. Nothing was written, or a retry will find that it was."""


class StoreRefuses(StoreUnavailable):
    """RETRY, rarely: Redis refuses our login or our command. The message is complete."""


class BrokerUnavailable(WatchroomError):
    """RETRY: Kafka did not answer."""


class BrokerRefuses(BrokerUnavailable):
    """RETRY, rarely: Kafka refuses our login. The message says which setting to check."""


class Moved(WatchroomError):
    """RETRY from elsewhere: Redis's next offset is not the one this worker started from.

    Another worker owns the partition, or Redis went back in time (`went_back`). Nothing was written.
    """

    def __init__(self, stored_offset: int | None, expected_offset: int | None = None) -> None:
        self.stored_offset = stored_offset
        self.went_back = expected_offset is not None and (stored_offset is None or stored_offset < expected_offset)
        super().__init__(f"Redis's next offset is {stored_offset}")
