"""Does another worker use our name in the consumer group? Pure.

With a static name a restarted worker gets its own membership back at once. If two workers run under one name, each
takes the membership from the other at every heartbeat: both look ready, and partitions move between them without end.
The figures stay right because of Redis, but there is no progress. The broker gives a new member id each time. Losing an
id by silence takes a whole session, so ids that change faster mean a second worker of that name. The newer worker
ends: it is the one that loses its very first id at once.
"""

from __future__ import annotations

from collections import deque

NEWCOMER_LOSSES, OLD_LOSSES = 3, 12


class Membership:
    """The member ids that this worker was given.

    Args:
        session_s: Session timeout of the group.
    """

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._member_id: str | None = None
        self._first_s: float | None = None  # when the first id was given
        self._newcomer = False  # the first id was lost sooner than a session could end
        self._lost_s: deque[float] = deque(maxlen=OLD_LOSSES)

    def joined(self, member_id: str, now_s: float) -> bool:
        """Note an assignment under this id; returns False if another worker must have the same name."""
        if self._member_id is None:
            self._first_s = now_s
        elif self._member_id != member_id:
            if not self._lost_s:
                self._newcomer = now_s - (self._first_s or 0.0) < self._session_s / 2
            self._lost_s.append(now_s)
        self._member_id = member_id
        losses = NEWCOMER_LOSSES if self._newcomer else OLD_LOSSES
        # by silence an id cannot be lost three times in 1.5 sessions, nor twelve times in six sessions
        within_s = self._session_s * losses / 2
        recent = [lost_s for lost_s in self._lost_s if now_s - lost_s < within_s]
        return len(recent) < losses
