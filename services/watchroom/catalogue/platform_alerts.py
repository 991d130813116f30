"""Alerts on the platform itself: what makes every figure of a force, or of a stream, unfit to judge.

Plain data. Rules, runbooks and the exporter's runbook pages are made of it. Expressions keep the target
label `force`; those about a stream carry `stream`, taken from the topic's last part where a metric has
only the topic. `X or absent(X)` stands nowhere: absent() is 1, and a text would print it as X's value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from watchroom.catalogue.metrics import WAITED_FOR

BOARD: Final = "watchroom-platform"
_APPLIED: Final = "watchroom_applied_timestamp_seconds"
_JUDGED: Final = f"{_APPLIED}{{{WAITED_FOR}}}"
STALE_S: Final = 10  # the freshness limit: from here on figures are withheld
RISING: Final = 20  # dead letters of one reason in 15 minutes
COMING: Final = 10  # dead letters of one topic in 6 hours, whatever the reason
UNTOLD: Final = 2  # notifications given up in 15 minutes; one alone is tried again and may have come through
HELD: Final = "3d"  # the longest outage over which a count is compared with the last one before it
_RAW: Final = "watchroom_raw_identifiers"
_SOURCE: Final = "force, topic, source"
LOSS_TOLD: Final = "5d"  # from an evening before Easter to the first office hour after it


@dataclass(frozen=True, slots=True)
class PlatformAlert:
    """One alert whose number is not a measure's.

    `mutes` says what cannot be judged while it fires: "all" of the force, the "stream" of its label, or
    nothing. `limit_s` is the longest time from the failure, or from the first figure that is missing,
    until the expression holds: an alert on a measure must be kept (`keep_firing_for`) beyond
    limit + for + evaluation + group wait, or a false "resolved" is sent.
    """

    name: str
    severity: Literal["page", "ticket", "none"]
    expression: str  # PromQL
    for_s: int
    keep_s: int
    limit_s: int
    mutes: Literal["all", "stream", ""]
    summary: str  # in Prometheus's template language
    meaning: str
    impact: str
    action: tuple[str, ...]
    number: str  # where its number comes from
    dashboard: str = BOARD


def _with_stream(expression: str) -> str:
    return f'label_replace({expression}, "stream", "$1", "topic", ".*[.](.+)")'


def _silent() -> str:
    """A source that is silent; and one of which that was told, until it can be judged again.

    While its topic is not applied up to now it has no figure. If the alert ended then, its "resolved" would
    be muted and never told.
    """
    figure = "min by (force, stream, source) (watchroom_source_silent)"
    fired = 'max by (force, stream, source) (ALERTS{alertname="SourceSilent",alertstate="firing"})'
    blind = f'{fired} and on (force) ALERTS{{alertstate="firing",mutes="all"}}'
    behind = f'{fired} and on (force, stream) ALERTS{{alertname="AppliedLag",alertstate="firing"}}'
    return f"{figure} == 1 or ((({blind}) or ({behind})) unless on (force, stream, source) {figure})"


def _newly(metric: str, by: str, ago: str) -> str:
    """Now less its last value of `ago` or earlier: an outage may lie there, with all that it brought."""
    return f"max by ({by}) ({metric}) - max by ({by}) (last_over_time({metric}[{HELD}] offset {ago}))"


PLATFORM_ALERTS: Final[tuple[PlatformAlert, ...]] = (
    PlatformAlert(
        name="ExporterAbsent",
        severity="page",
        # A target that is down and one that is gone from the configuration: known in the last hour, not up now.
        expression=(
            'count by (force) (present_over_time(up{job="watchroom-exporter"}[1h]))'
            ' unless on (force) max by (force) (up{job="watchroom-exporter"}) == 1'
        ),
        for_s=15,
        keep_s=60,
        limit_s=10,  # the next scrape, and its timeout
        mutes="all",
        summary=(
            "{{ $labels.force }}: no exporter answers Prometheus; "
            '{{ $value | printf "%.0f" }} known in the last hour, 0 up. No figure is shown.'
        ),
        meaning="None of the force's exporters has answered Prometheus for 15 seconds.",
        impact="Every board says NO DATA and no alert on a measure can fire. Counting goes on: nothing is lost.",
        action=(
            "Tell the control room that the wall is blind and that the telephony and command systems are not affected.",
            "Restart the exporter: it needs no state of its own and is back within seconds.",
            "If it stops again, read the last lines of its log: it exits with 2 when its configuration is wrong.",
        ),
        number="`up` of job `watchroom-exporter`, written at every scrape; known are its targets of the last hour.",
    ),
    PlatformAlert(
        name="RedisDown",
        severity="page",
        expression="max by (force) (watchroom_redis_up) == 0",
        for_s=15,
        keep_s=60,
        limit_s=15,  # a Redis that hangs counts as no answer after the freshness limit, seen at the next scrape
        mutes="all",
        summary=(
            "{{ $labels.force }}: Redis does not answer the exporter "
            '(watchroom_redis_up {{ $value | printf "%.0f" }}, 1 is up). No figure is shown.'
        ),
        meaning="No exporter of the force gets an answer from Redis, or only that its memory limit is reached.",
        impact="No figure is shown or judged. Workers wait and count nothing twice: they go on where they stopped.",
        action=(
            "Look whether Redis runs, and whether its memory limit is reached: `redis-cli INFO memory`.",
            "Start it again with its append-only file; workers and exporter reconnect by themselves.",
            "If the file is lost, run `watchroom rebuild`: everything is counted again from Kafka.",
        ),
        number="`watchroom_redis_up` of the exporter: 1 while its last reading of Redis worked and is fresh.",
    ),
    PlatformAlert(
        name="RedisEvicted",
        severity="page",
        # Of several exporters one may lack the right to look, or read an old replica: the mark is there for all.
        expression="max by (force) (watchroom_redis_evicted) == 1",
        for_s=0,
        keep_s=60,
        limit_s=15,  # a worker looks every 2 s, an exporter every second; a reading that fails may be 10 s old
        mutes="all",
        summary=(
            "{{ $labels.force }}: Redis has evicted keys "
            '(watchroom_redis_evicted {{ $value | printf "%.0f" }}, 0 is none). No figure is shown until a rebuild.'
        ),
        meaning="Redis has dropped keys by itself because its memory limit was reached under an evicting "
        "maxmemory-policy. What was in them is not known.",
        impact="Any figure may be too low, months too, so none is shown or judged until all are counted again from "
        "Kafka.",
        action=(
            "See `redis-cli CONFIG GET maxmemory-policy`; unless it is noeviction, set it so, in redis.conf too.",
            "See `redis-cli INFO memory`: raise maxmemory, or move what else fills this Redis elsewhere.",
            "Stop all workers, run `watchroom rebuild`, and start the workers again.",
        ),
        number="`watchroom_redis_evicted` of the exporter: 1 while the mark is in Redis that a worker sets when it "
        "finds more `evicted_keys` than are accounted for, or while the exporter finds them itself on the primary.",
    ),
    PlatformAlert(
        name="WorkerStuck",
        severity="page",
        expression=(
            f"time() - max by (force) ({_JUDGED}) > {STALE_S} and on (force) max by (force) (watchroom_redis_up) == 1"
        ),
        for_s=25,  # a change of owners takes the session's timeout, 10 s, and must not page
        keep_s=60,
        limit_s=STALE_S + 5,
        mutes="all",
        summary=(
            "{{ $labels.force }}: nothing has been applied for {{ $value | humanizeDuration }}, in no partition; "
            "figures are withheld from 10 s on."
        ),
        meaning="No partition moves although Redis answers reads: every worker is dead, Kafka does not answer them, or "
        "Redis refuses their writes (its disk is full, or it is a replica since a failover).",
        impact="No figure is shown or judged. Events wait in Kafka and are counted when a worker runs again.",
        action=(
            "Open a worker's /readyz (port 9465): it says which server it waits for, and what that server answered.",
            "If no worker answers, read the end of its log (exit code 2: it says what to correct), and start it again.",
            "If they say that topics have more partitions than before, follow deploy/kafka/partitions.md.",
            "If Redis refuses writes: is its disk full (`INFO persistence`), or is it a replica (`INFO replication`)?",
            "If Kafka does not answer, check its brokers. Workers then catch up by themselves, a day in seconds.",
        ),
        number=f"`time()` less the newest `{_APPLIED}` of the force: the moment up to which everything that Kafka "
        "showed is applied, written at least every 2 s.",
    ),
    PlatformAlert(
        name="AppliedLag",
        severity="page",
        expression=_with_stream(
            f"time() - min by (force, topic) (max by (force, topic, partition) ({_JUDGED})) > {STALE_S}"
            f" and on (force) time() - max by (force) ({_JUDGED}) <= {STALE_S}"
        ),
        for_s=30,
        keep_s=60,
        limit_s=STALE_S + 5,
        mutes="stream",
        summary=(
            "{{ $labels.force }}: the slowest partition of {{ $labels.topic }} was last complete "
            "{{ $value | humanizeDuration }} ago while others are fresh; its figures are withheld from 10 s on."
        ),
        meaning="One topic is applied late while others are fresh: a partition without a worker, or too many events.",
        impact="The measures of this stream are not shown and not judged; the others are.",
        action=(
            "On the Platform board, see which partitions are behind: one (stuck worker) or all (too few workers).",
            "If a worker's /readyz says that it leaves the stream alone, do one of the two things that it suggests.",
            "If it says that the topic has more partitions than before, follow deploy/kafka/partitions.md.",
            "If it names an open transaction, stop its producer, or end the transaction with the command shown there.",
            "Otherwise restart the worker that owns them; its metrics name its partitions.",
            "If the lag falls steadily after an outage, wait: the workers are catching up.",
        ),
        number=f"`time()` less the oldest `{_APPLIED}` over the topic's partitions.",
    ),
    PlatformAlert(
        name="SourceSilent",
        severity="page",
        # Of several exporters one may be at fault: a stream is blind when none of them shows it.
        expression=_silent(),
        for_s=45,  # after an outage of Kafka heartbeats come every 30 s again, once their sender has reconnected
        keep_s=60,
        limit_s=95,  # 90 s without a sign of life, seen at the next scrape
        mutes="stream",
        summary=(
            "{{ $labels.force }}: source {{ $labels.source }} of {{ $labels.stream }} is silent for longer than its "
            'limit (watchroom_source_silent {{ $value | printf "%.0f" }}); the stream\'s figures are withheld.'
        ),
        meaning="A system that feeds this stream has sent neither events nor heartbeats for longer than its limit "
        "(90 s unless its settings say otherwise).",
        impact="The measures of this stream are not shown and not judged: a quiet feed looks like a quiet night.",
        action=(
            "Tell the control room which figures are missing, so that they look at the system itself.",
            "Call whoever runs the source: is it down, or is its link to Kafka?",
            "If it was switched off for good, take it out of WATCHROOM_SOURCES.",
        ),
        number="`watchroom_source_silent`, judged by the exporter at each scrape from the source's last sign of life "
        "by Kafka's clock, while the stream is applied up to now. If that ends (a worker dies) the alert stays until "
        "the source can be judged again, and says nothing new: WorkerStuck or AppliedLag mutes it.",
    ),
    PlatformAlert(
        name="WindowsStale",
        severity="page",
        # The last minute's word bridges the time until an exporter or Redis that is gone is told. What is published
        # again ends it at once: were it kept, it would outlast the alert that has muted it, and be told as it ends.
        expression="min by (force, stream) (last_over_time(watchroom_stream_withheld[1m])) == 1",
        for_s=60,
        keep_s=0,
        limit_s=15,
        mutes="stream",
        summary=(
            "{{ $labels.force }}: the figures of {{ $labels.stream }} have been withheld for over a minute "
            '(watchroom_stream_withheld {{ $value | printf "%.0f" }}) and no other alert says why; /healthz does.'
        ),
        meaning="The measures of a stream are not published, and none of the alerts that name a cause fires.",
        impact="The measures of this stream are not shown and not judged.",
        action=(
            "Open the exporter's /healthz: it says in words why the stream is withheld.",
            "Causes without an alert: a rebuild is running, a partition was never read, Redis holds another catalogue.",
            "The last shows as OTHER DEFINITION on the Platform board: `watchroom rebuild` counts the stream again.",
        ),
        number="`watchroom_stream_withheld` of the exporter. Alertmanager mutes it while an alert with a cause fires.",
    ),
    PlatformAlert(
        name="NotificationsFailing",
        severity="page",
        expression=(
            f"sum by (force, integration) (increase(alertmanager_notifications_failed_total[15m])) >= {UNTOLD}"
        ),
        for_s=0,
        keep_s=300,
        limit_s=0,
        mutes="",
        summary=(
            "{{ $labels.force }}: Alertmanager could not send "
            '{{ $value | printf "%.0f" }} notifications by {{ $labels.integration }} in 15 minutes. '
            f"Threshold: {UNTOLD}. People who should have been alerted may not have been."
        ),
        meaning="Alertmanager tried again and again to send notifications through this integration (email, webhook), "
        "and gave up.",
        impact="Alerts fire, and the people who should know do not. This alert goes to the platform team through every "
        "channel, because one may be broken.",
        action=(
            "Look in Alertmanager (port 9093) at what is firing now, and tell the people concerned yourself.",
            "Read Alertmanager's log: it names the receiver, and what the mail server or webhook answered.",
            "If the webhook is the watchdog's, `watchroom watchdog` is not running: start it.",
        ),
        number="The counter `alertmanager_notifications_failed_total`, scraped from Alertmanager itself, by "
        "integration. If nothing at all can be sent, the Watchdog alert stops arriving too, and `watchroom watchdog` "
        "alerts through a fallback channel.",
    ),
    PlatformAlert(
        name="DeadLettersRising",
        severity="ticket",
        expression=_with_stream(f"{_newly('watchroom_dead_letters', 'force, topic, reason', '15m')} > {RISING}"),
        for_s=0,
        keep_s=300,
        limit_s=0,
        mutes="",
        summary=(
            '{{ $labels.force }}: {{ $value | printf "%.0f" }} events of {{ $labels.topic }} could not be used '
            f"in 15 minutes, or in an outage before, reason {{{{ $labels.reason }}}}; alerts above {RISING}."
        ),
        meaning="Many events of one stream go to the dead letters for the same reason.",
        impact="They are in no measure until they are replayed: figures are too low, and look healthy.",
        action=(
            "Look at some of them: `watchroom dead-letters list`, then `show`. The detail says what is wrong.",
            "The usual cause is a change to a producer: call its owner, and give one example.",
            "After the fix, run `watchroom dead-letters replay`: the events count as of when they first arrived.",
        ),
        number="`watchroom_dead_letters` now less its value 15 minutes ago, by topic and reason. If there was none "
        "then, the last one before, for up to three days: what piles up in an outage is reported when it is over.",
    ),
    PlatformAlert(
        name="DeadLettersKeepComing",
        severity="ticket",
        expression=_with_stream(
            f"sum by (force, topic) ({_newly('watchroom_dead_letters', 'force, topic, reason', '6h')}) > {COMING}"
        ),
        for_s=0,
        keep_s=300,
        limit_s=0,
        mutes="",
        summary=(
            '{{ $labels.force }}: {{ $value | printf "%.0f" }} events of {{ $labels.topic }} could not be used '
            f"in 6 hours, or in an outage before, for all reasons together; alerts above {COMING}."
        ),
        meaning="Events of one stream keep going to the dead letters, too slowly for DeadLettersRising. It happens "
        "when a quiet feed is broken altogether, or one of its event types.",
        impact="They are in no measure until they are replayed: figures are too low, and look healthy.",
        action=(
            "Look at some of them: `watchroom dead-letters list`, then `show`. Do they share type or source?",
            "The usual cause is a change to a producer: call its owner, and give one example.",
            "After the fix, run `watchroom dead-letters replay`: the events count as of when they first arrived.",
        ),
        number="`watchroom_dead_letters` now less its value 6 hours ago, all reasons of a topic together; if there was "
        "none then, the last one before, for up to three days. A force of the published size sends 113 events of "
        "crimes in 6 hours, 58 of them new crimes. This alert does not notice when the only broken type is one "
        "that comes less than ten times in 6 hours (a cancelled crime, a reopened incident).",
    ),
    PlatformAlert(
        name="RawIdentifier",
        # No page: nobody is helped at night by stopping a feed, which blinds the wall. It stays for days, see below.
        severity="ticket",
        expression=_with_stream(
            f"max by ({_SOURCE}) ({_RAW}) - (max by ({_SOURCE}) (last_over_time({_RAW}[{HELD}] offset {LOSS_TOLD}))"
            f" or 0 * max by ({_SOURCE}) ({_RAW})) > 0"
        ),
        for_s=0,
        keep_s=300,
        limit_s=0,
        mutes="",
        summary=(
            '{{ $labels.force }}: {{ $value | printf "%.0f" }} events of source {{ $labels.source }} on '
            "{{ $labels.topic }} held something other than a token where only a token may stand, in the last five days."
        ),
        meaning="A source has sent a name, a number or an address, or something that may be one, in a field for a "
        "token. Watchroom has kept neither the value nor the key of these events, and shows them nowhere.",
        impact="The events are in no measure. What the source has put into its topic is still there, and everyone who "
        "may read the topic can read it: Watchroom cannot take it out.",
        action=(
            "Tell the force's data protection officer now, with source, topic and time: a report may be due in 72 h.",
            "Call the owner of the source: it must send tokens (schemas/events/TOKENS.md).",
            "Source `other` is one that is not declared, or an event that cannot be read: ask who writes to the topic.",
            "See how many and where: `watchroom dead-letters list --reason raw_identifier` has partition and offset.",
            "Allow nobody but Watchroom to read the topic until the data is gone (`kafka-acls.sh`).",
            "Kafka cannot delete single records. They disappear once the topic's `retention.ms` has passed.",
            "Sooner: `kafka-delete-records.sh` removes all records of a partition below an offset, good ones too.",
            "Back up Redis before that: its figures stay, but `watchroom rebuild` cannot make those months again.",
            "Have the source send the events again, with tokens (late ones as `history`): letters cannot be replayed.",
            "Delete the data from mirrors and backups of the topic too, and from the source's own logs.",
        ),
        number="`watchroom_raw_identifiers` now less its value five days ago, by source, where there is none less 0: "
        "email waits for office hours, and reports only what still fires then. The ticket queue is reminded each day.",
    ),
    PlatformAlert(
        name="RecordsLost",
        severity="ticket",
        # Least of several exporters too: one that is new holds no value of before.
        expression=_with_stream(
            "max by (force, topic, partition) (watchroom_lost_records)"
            f" - min by (force, topic, partition) (min_over_time(watchroom_lost_records[{LOSS_TOLD}])) > 0"
        ),
        for_s=0,
        keep_s=300,
        limit_s=0,
        mutes="",
        summary=(
            '{{ $labels.force }}: {{ $value | printf "%.0f" }} records of {{ $labels.topic }} partition '
            "{{ $labels.partition }} were deleted by Kafka before they were applied, in the last five days."
        ),
        meaning="Kafka's retention deleted records before a worker had applied them.",
        impact="They are missing from every figure, months included, for good unless the sources send them again.",
        action=(
            "Note the stream, the partition and the time: analysts must know of it when they use that month's figures.",
            "Raise the topic's retention above the longest outage that may happen.",
            "Ask the source to send that period again. Events that are known already are not counted twice.",
        ),
        number="`watchroom_lost_records` now less its least value of the last five days, by partition. So it fires for "
        "five days after a loss: email waits for office hours and reports only what still fires then, and that must "
        "include a loss on the evening before a long weekend. The ticket queue is reminded each day.",
    ),
    PlatformAlert(
        name="FigureOld",
        severity="ticket",
        expression="max by (force, measure) (watchroom_figures_old) > 0",
        for_s=3600,
        keep_s=0,
        limit_s=0,
        mutes="",
        summary=(
            '{{ $labels.force }}: {{ $value | printf "%.0f" }} figures of {{ $labels.measure }} are older than their '
            "entry in the catalogue allows (max_age_days)."
        ),
        meaning="A figure that is produced elsewhere has not been reported again for longer than its entry allows.",
        impact="Boards and reports still show it, marked as old, with its as-at. Nothing else is affected.",
        action=(
            "See on the Returns board which figure it is, and its as-at.",
            "Ask its owner (the source line of its definition) for the new one; `watchroom figures import` takes it.",
            "If nobody reports it any more, send return.withdrawn for it, or raise max_age_days in its entry.",
        ),
        number="`watchroom_figures_old`: how many label sets of a measure have no figure whose as-at is younger than "
        "max_age_days, judged by the exporter at each scrape.",
        dashboard="watchroom-returns",
    ),
    PlatformAlert(
        name="Watchdog",
        severity="none",
        expression="vector(1)",
        for_s=0,
        keep_s=0,
        limit_s=0,
        mutes="",
        summary='Prometheus and Alertmanager work: this alert always fires ({{ $value | printf "%.0f" }}).',
        meaning="This alert always fires. When it stops arriving, `watchroom watchdog` uses a fallback channel.",
        impact="While it does not arrive, no other alert can be expected to arrive either.",
        action=(
            "Nothing while it fires.",
            "If the watchdog says that it is missing: do Prometheus and Alertmanager run, and reach each other?",
        ),
        number="The constant 1.",
    ),
)
