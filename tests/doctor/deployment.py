"""A whole deployment on real servers: three brokers, Redis, worker, exporter, Prometheus and Alertmanager."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drills.feed import SOURCE_OF, Feed
from tests.drills.monitoring import Monitoring, Webhook, until
from tests.flow.servers import KafkaServer, RedisServer, kafka_cluster
from tests.parts import ROOT
from watchroom.demo.processes import Process
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.doctor.examine import examine
from watchroom.doctor.finding import Finding
from watchroom.generate.rules.files import rules_text, shipped_catalogue
from watchroom.generate.rules.links import load_links
from watchroom.settings import Settings, read_settings


@dataclass
class Deployment:
    """What the checks examine."""

    brokers: list[KafkaServer]
    redis: RedisServer
    settings: Settings

    def examine(self, **changed: object) -> list[Finding]:
        """The doctor's findings with these settings changed."""
        return examine(self.settings.model_copy(update=changed))


@contextmanager
def deployment(folder: Path, name: str) -> Iterator[Deployment]:
    """A deployment in which everything works and every target was scraped."""
    with ExitStack() as ending:
        redis = RedisServer(folder / "redis")
        redis.start()
        ending.callback(redis.kill)
        settings = read_settings(
            redis_url=redis.url,
            **dict.fromkeys(("force", "topic_prefix", "group", "worker_name"), name),
            session_timeout_s=6,
            streams="calls,incidents",
            sources={stream: {SOURCE_OF[stream]: {"heartbeats": True}} for stream in ("calls", "incidents")},
            health_port=free_port(),
            exporter_port=free_port(),
            partitions=2,
            replication=3,
        )
        webhook = ending.enter_context(Webhook())
        targets = {
            "watchroom-exporter": f"{LOOPBACK}:{settings.exporter_port}",
            "watchroom-worker": f"{LOOPBACK}:{settings.health_port}",
        }
        rules = rules_text(shipped_catalogue(ROOT), load_links(ROOT))
        # started first: Prometheus scrapes every 5 s, and brokers take longer to start
        monitoring = Monitoring(folder / "monitoring", targets, settings.force, webhook.url, rules, factor=60)
        ending.enter_context(monitoring)
        brokers = kafka_cluster(folder / "kafka")
        for broker in brokers:
            ending.callback(broker.kill)
        urls = {
            "kafka": ",".join(broker.address for broker in brokers),
            "prometheus_url": monitoring.url,
            "alertmanager_url": f"http://{LOOPBACK}:{monitoring._alertmanager_port}",
        }
        settings = settings.model_copy(update=urls)
        exporter, worker = (Process(command, settings, folder / f"{command}.log") for command in ("exporter", "worker"))
        with ThreadPoolExecutor() as threads:
            for started in threads.map(Process.start, (exporter, worker)):
                ending.callback(started.stop)
        ending.enter_context(Feed(settings))
        until("every stream is shown", lambda: monitoring.query("count(watchroom_stream_withheld == 0) == 2"), 40)
        until("every target is up", lambda: monitoring.query("count(up == 1) == 3"), 40)
        until("the Watchdog arrives", lambda: webhook.of("Watchdog"), 40)
        yield Deployment(brokers, redis, settings)
