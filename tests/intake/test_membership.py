"""Two workers with the same name: the newer one notices, and a worker with a bad connection does not."""

from __future__ import annotations

from watchroom.intake.assignment import Membership


def test_a_new_worker_whose_membership_is_taken_at_every_heartbeat_notices() -> None:
    """Each heartbeat of the other one takes the membership away; two may be chance, three are a namesake."""
    membership = Membership(session_s=10)
    assert [membership.joined(f"id-{n}", 2.5 * n) for n in range(4)] == [True, True, True, False]


def test_the_older_worker_outlasts_the_newer_one() -> None:
    """Only one of the two exits: the one that was there first continues."""
    older, younger = Membership(10), Membership(10)
    assert older.joined("first", -3600)
    times = [2.5 * n for n in range(4)]
    assert [older.joined(f"old-{s}", s) for s in times] == [True] * 4
    assert not all(younger.joined(f"new-{s}", s) for s in times)


def test_losing_the_membership_by_silence_is_not_taken_for_a_namesake() -> None:
    """A worker that is paused past its session, again and again, gets a new id each time."""
    membership = Membership(session_s=6)
    assert all(membership.joined(f"id-{n}", 8.0 * n) for n in range(50))


def test_rebalances_under_one_id_are_not_a_loss() -> None:
    """Other workers come and go; our membership remains."""
    membership = Membership(session_s=6)
    assert all(membership.joined("id", 0.1 * n) for n in range(50))
