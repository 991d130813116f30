"""A force that sends only calls: in half an hour nobody is paged and no tile looks broken."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.conftest import new_name
from tests.drills.deployment import Deployment, running_deployment
from tests.drills.monitoring import panels, until
from tests.drills.streams import streams_of
from tests.flow.servers import KafkaServer, RedisServer, Stack

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

FACTOR = 60  # half a minute of the clock is half an hour of the rules' waiting times
SILENT_S = 5.0  # limits are not divided: anything that waits for another stream would show within this time
HALF_HOUR_S = 30 * 60 / FACTOR
NOT_FED = "not fed here"


@pytest.fixture(scope="module")
def deployment(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A control room with only telephony connected, as on its first day."""
    folder = tmp_path_factory.mktemp("telephony")
    redis = RedisServer(folder / "redis")
    redis.start()
    stack = Stack("real", kafka.address, redis.url, new_name())
    try:
        with running_deployment(
            stack, redis, folder, streams=["calls"], factor=FACTOR, silent_s=SILENT_S, with_history=False
        ) as made:
            yield made
    finally:
        redis.kill()


def tiles(deployment: Deployment) -> dict[str, dict[str, str]]:
    """What each tile of the wall says, by stream and title, as a person reads it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for measure, tile in deployment.catalogue.tiles():
        element = deployment.board.page.locator(f"#tile-{measure.id}-{tile.place}")
        found[measure.stream][tile.title] = element.inner_text()
    found["all"]["Data age"] = deployment.board.page.locator("#tile-data-age").inner_text()
    return found


def test_half_an_hour_without_crimes_and_incidents_alerts_nobody(deployment: Deployment) -> None:
    """If all streams were expected, crimes would page for ever and the wall would be red from the first minute."""
    waiting = deployment.surge(1, 0)
    until("the wall shows the calls", lambda: "NO DATA" not in str(tiles(deployment)), 30)
    until_s = time.monotonic() + HALF_HOUR_S
    while time.monotonic() < until_s:
        deployment.answered(waiting)
        waiting = deployment.surge(1, 0)
        said = tiles(deployment)
        assert "NO DATA" not in str(said), said
        assert "NORMAL" in said["all"]["Data age"]
        for stream in ("incidents", "crimes"):
            for title, text in said[stream].items():
                assert NOT_FED in text, title
                assert "CRITICAL" not in text, title
        assert not deployment.monitoring.firing()
        time.sleep(1)  # checked once a second; a supervisor would look less often
    assert {notice.name for notice in deployment.webhook.notices} <= {"Watchdog"}
    assert NOT_FED not in str(said["calls"])


def test_a_stream_that_is_not_fed_is_reported_as_such_and_has_no_other_series(deployment: Deployment) -> None:
    """`watchroom_stream_fed` is its only series: no figure, no age, no dead letter, nothing to evaluate."""
    fed = {
        each["metric"]["stream"]: float(each["value"][1])
        for each in deployment.monitoring.query("watchroom_stream_fed")
    }
    assert fed == {"calls": 1, "contacts": 0, "incidents": 0, "crimes": 0, "returns": 0}
    others = deployment.monitoring.query('{__name__=~"watchroom_.+",__name__!="watchroom_stream_fed"}')
    named = {(*each["metric"].items(),) for each in others}
    assert not [labels for labels in named if "incidents" in str(labels) or "crime" in str(labels)]
    assert any("watchroom_call_volume" in str(labels) for labels in named)


def test_the_grafana_panels_of_a_stream_that_is_not_fed_show_that(deployment: Deployment) -> None:
    """NO DATA there would send somebody looking for a broken feed."""
    answers: dict[tuple[str, str], list[float]] = defaultdict(list)
    streams: dict[tuple[str, str], set[str]] = defaultdict(set)
    for panel in panels(deployment.settings.force):
        key = (panel.board, panel.title)
        streams[key] |= streams_of(panel.expression, deployment.catalogue)
        answers[key] += [float(each["value"][1]) for each in deployment.monitoring.query(panel.expression)]
    unfed = [key for key, of in streams.items() if of and not of & {"calls"}]
    assert len(unfed) > 40
    for key in unfed:
        assert answers[key], key
        assert all(value == -1 or math.isnan(value) for value in answers[key]), key


def test_no_topic_is_created_for_a_stream_that_is_not_fed(deployment: Deployment) -> None:
    """Somebody would have to monitor, size and pay for topics that nothing feeds."""
    found = deployment.monitoring.query("count by (topic) (watchroom_applied_timestamp_seconds)")
    assert [each["metric"]["topic"] for each in found] == [deployment.settings.topic("calls")]
