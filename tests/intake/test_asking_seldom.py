"""A server that refuses us is asked a few times a minute, however many partitions wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import Redis

from tests.flow.servers import RedisServer
from tests.intake.one_partition import OnePartition
from watchroom.intake.asking_seldom import AskingSeldom
from watchroom.intake.evicting import end_when_evicting
from watchroom.intake.freshness import Answer
from watchroom.intake.intake import Intake, now_ms
from watchroom.intake.status import Status
from watchroom.intake.touching import touch_forever


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr("watchroom.intake.asking_seldom.time.monotonic", lambda: self.now_s)


def test_six_tries_in_a_minute_and_at_once_again_after_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 2, 4, 8, then every 16 s; a hundred callers a second are one try."""
    clock, seldom, tries = Clock(monkeypatch), AskingSeldom(), []
    for _ in range(12):
        assert seldom.may_ask()  # all that asked before the first refusal came
    for _ in range(12):
        seldom.refused()
    for _ in range(6_000):
        clock.now_s += 0.01
        if seldom.may_ask():
            tries.append(round(clock.now_s - 1_000))
            seldom.refused()
    assert tries == [2, 6, 14, 30, 46]
    seldom.answered()
    assert all(seldom.may_ask() for _ in range(12))


def test_a_try_without_an_answer_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller may have lost its partition meanwhile."""
    clock, seldom = Clock(monkeypatch), AskingSeldom()
    seldom.refused()
    clock.now_s += 2
    assert seldom.may_ask()
    assert not seldom.may_ask()
    clock.now_s += 2
    assert seldom.may_ask()


@pytest.mark.real
async def test_a_redis_user_that_is_taken_from_a_running_worker_is_tried_seldom(redis_server: RedisServer) -> None:
    """Its connections are closed, and each try would be a login; it goes on when the user is back."""
    with redis_server.client() as plain:
        admin: Any = plain
        user = ("ACL", "SETUSER", "wr", "reset", "on", ">pw", "~*", "&*", "+@all")
        admin.execute_command(*user)
        one = OnePartition(redis_server.url.replace("://", "://wr:pw@"))
        served = one.served
        intake = Intake(lambda topic, n: one.applier(topic.rpartition(".")[2], n), Status(), topics=served)
        intake.assign([(topic, 0) for topic in served.values()])
        for lane in intake.lanes:
            at = await intake.start_lane(lane, 0)
            assert at is not None
            lane.place_at(at)
            lane.note(Answer(now_ms(), at, at))
        tasks = [
            asyncio.create_task(touch_forever(intake, 0.05)),
            asyncio.create_task(end_when_evicting(intake, one.store.check_evictions, 0.05)),
        ]
        admin.execute_command("ACL", "DELUSER", "wr")
        before = refused_logins(plain)
        await asyncio.sleep(3)  # what is counted is how often something happens in a time
        assert "does not let user 'wr' in" in intake.status.waits()["redis"]
        assert refused_logins(plain) - before <= 2 * len(served) + 2  # what was under way, then after 2 s
        admin.execute_command(*user)
        async with asyncio.timeout(20):
            while "redis" in intake.status.waits():  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await one.close()
        assert intake.failure is None


def refused_logins(client: Redis) -> int:
    """How often Redis has refused a login lately."""
    entries: Any = client.acl_log()
    return sum(int(entry["count"]) for entry in entries if entry["reason"] == "auth")
