"""Settings of topics: harmful ones are named; harmless or unknown ones are left alone."""

from __future__ import annotations

import pytest

from watchroom.kafka.topic_settings import differences, topic_settings
from watchroom.settings import read_settings
from watchroom.streams import STREAMS
from watchroom.streams.stream import RETENTION_DAYS

DAY_MS = 86_400_000
SETTINGS = read_settings()
CALLS, CRIMES, RETURNS = (SETTINGS.topic(name) for name in ("calls", "crimes", "returns"))
LETTERS = SETTINGS.dead_letter_topic

HARMFUL = [
    (CALLS, {"message.timestamp.type": "CreateTime"}, 3, "message.timestamp.type=LogAppendTime"),
    (CALLS, {"cleanup.policy": "compact"}, 1, "cleanup.policy=delete"),
    (CALLS, {"cleanup.policy": "delete,compact"}, 1, "cleanup.policy=delete"),
    (LETTERS, {"cleanup.policy": "compact"}, 1, "cleanup.policy=delete"),
    (CALLS, {"retention.ms": str(7 * DAY_MS)}, 1, f"retention.ms={RETENTION_DAYS * DAY_MS}"),
    (CALLS, {"retention.ms": "0"}, 1, f"retention.ms={RETENTION_DAYS * DAY_MS}"),
    (CRIMES, {"retention.ms": str(400 * DAY_MS)}, 1, f"retention.ms={761 * DAY_MS}"),
    (RETURNS, {"retention.ms": str(4000 * DAY_MS)}, 1, "retention.ms=-1"),
    (CALLS, {"retention.bytes": "1073741824"}, 1, "retention.bytes=-1"),
    (CALLS, {"min.insync.replicas": "1"}, 3, "min.insync.replicas=2"),
    (CALLS, {"min.insync.replicas": "3"}, 3, "min.insync.replicas=2"),
    (CALLS, {"min.insync.replicas": "2"}, 1, "min.insync.replicas=1"),
    (CALLS, {"unclean.leader.election.enable": "true"}, 3, "unclean.leader.election.enable=false"),
    (CALLS, {"max.message.bytes": "1000"}, 1, "max.message.bytes=1048576"),
    (LETTERS, {"max.message.bytes": "1048588"}, 1, "max.message.bytes=2097152"),
]
HARMLESS = [
    (CALLS, {}, 3),  # the broker did not show any
    (CALLS, {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}, 1),
    (CALLS, {"retention.ms": str(500 * DAY_MS), "max.message.bytes": "4000000", "compression.type": "producer"}, 1),
    (CRIMES, {"retention.ms": str(761 * DAY_MS)}, 1),
    (RETURNS, {"retention.ms": "-1"}, 1),
    (CALLS, {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}, 1),  # one copy: nothing to choose
    (CALLS, {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}, 3),
    (CALLS, {"min.insync.replicas": "2"}, 2),  # some prefer refusing events to losing them
    (CALLS, {"retention.ms": "forever", "min.insync.replicas": "", "max.message.bytes": "?"}, 3),  # another product
]


@pytest.mark.parametrize(("topic", "found", "replication", "config"), HARMFUL)
def test_a_harmful_setting_is_named_with_its_command(
    topic: str, found: dict[str, str], replication: int, config: str
) -> None:
    """Readers often manage somebody else's broker, and must not have to look anything up."""
    (difference,) = differences(SETTINGS, topic, found, replication)
    ((name, value),) = found.items()
    assert (difference.topic, difference.name, difference.found) == (topic, name, value)
    assert difference.command(SETTINGS).endswith(f"--entity-name {topic} --add-config {config}")
    assert difference.refused is (name == "cleanup.policy" or topic == LETTERS)


@pytest.mark.parametrize(("topic", "found", "replication"), HARMLESS)
def test_a_harmless_setting_is_left_alone(topic: str, found: dict[str, str], replication: int) -> None:
    """Topics belong to whoever created them; an unknown setting is no reason to refuse to work."""
    assert differences(SETTINGS, topic, found, replication) == []


KEEPING = [{}, {"calls": 900}, {"calls": 100_000}, {"incidents": 400.3}]


@pytest.mark.parametrize("keeping_days", KEEPING)
@pytest.mark.parametrize("replication", [1, 2, 3, 5])
def test_settings_that_we_create_ourselves_are_never_named(replication: int, keeping_days: dict[str, float]) -> None:
    """Two definitions of a correct topic would diverge one day."""
    settings = read_settings(keeping_days=keeping_days)
    for topic in (*map(settings.topic, STREAMS), LETTERS):
        made = topic_settings(settings, topic, replication)
        assert differences(settings, topic, made, replication) == []


RETENTION = [
    ("calls", {}, 400),
    ("calls", {"calls": 900}, 900),
    ("calls", {"calls": 100_000}, None),
    ("crimes", {}, 761),
    ("returns", {}, None),
]


@pytest.mark.parametrize(("stream", "keeping_days", "days"), RETENTION)
def test_records_are_kept_as_long_as_a_rebuild_needs_them(
    stream: str, keeping_days: dict[str, float], days: int | None
) -> None:
    """Twelve months, and the last event of everything that is still known."""
    settings = read_settings(keeping_days=keeping_days)
    made = topic_settings(settings, settings.topic(stream))
    assert made["retention.ms"] == ("-1" if days is None else str(days * DAY_MS))


LOST = [
    (
        CALLS,
        7,
        "Records are deleted after 7 days. A rebuild would lose months that began earlier (12 months need 400 days).",
    ),
    (
        CALLS,
        2.5,
        (
            "Records are deleted after 2.5 days. A rebuild would lose months that began earlier (12 months need 400"
            " days), and all calls whose last event is older, though they are kept for 3 days (WATCHROOM_KEEPING_DAYS)."
        ),
    ),
    (
        CRIMES,
        400,
        (
            "Records are deleted after 400 days. A rebuild would lose all crimes whose last event is older, though they"
            " are kept for 761 days (WATCHROOM_KEEPING_DAYS)."
        ),
    ),
    (
        RETURNS,
        4000,
        (
            "Records are deleted after 4,000 days. A rebuild would lose all returns whose last event is older, though"
            " they are kept permanently."
        ),
    ),
    (
        LETTERS,
        7,
        (
            "Records are deleted after 7 days. Dead letters should be kept for 400 days so that they can be listed and"
            " replayed."
        ),
    ),
]


@pytest.mark.parametrize(("topic", "days", "why"), LOST)
def test_a_short_retention_is_named_with_what_would_be_lost(topic: str, days: float, why: str) -> None:
    """Nobody raises a number without a reason."""
    (difference,) = differences(SETTINGS, topic, {"retention.ms": str(round(days * DAY_MS))}, 1)
    assert difference.why == why


def test_an_acknowledged_record_survives_the_loss_of_a_broker() -> None:
    """With three copies, two must have it before it counts, and none without it may become leader."""
    made = topic_settings(read_settings(replication=3), CALLS)
    assert (made["min.insync.replicas"], made["unclean.leader.election.enable"]) == ("2", "false")
    assert not {"min.insync.replicas", "unclean.leader.election.enable"} & topic_settings(SETTINGS, CALLS).keys()


def test_the_command_names_the_password_file_if_brokers_require_a_login() -> None:
    """Without it the tool waits for an answer that never comes."""
    secured = read_settings(kafka="a:1, b:2", kafka_security="sasl_ssl", kafka_user="u", kafka_password="secret")
    (difference,) = differences(secured, CALLS, {"cleanup.policy": "compact"}, 1)
    command = difference.command(secured)
    assert command.startswith("kafka-configs.sh --bootstrap-server a:1,b:2 --command-config client.properties --alter")
    assert "secret" not in command
