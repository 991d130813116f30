"""Apache Kafka (KRaft, broker and controller in one process), started from its jars."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.flow.servers.program import kafka_jars, program
from tests.parts import ROOT
from watchroom.demo.server import LOOPBACK, LocalServer, free_port
from watchroom.errors import WorkFailed

_JAVA = ("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_READY_WITHIN_S = 60.0


class KafkaServer:
    """One broker. Its port and its log survive `stop`, `kill` and `restart`.

    Args:
        folder: Empty folder for its log and configuration.
        node: Its id, from 1.
        controllers: Controller ports of the whole cluster by node id; by default this one alone.
        cluster: The cluster's id; by default a new one.
        listeners: More doors, by their Kafka name in capital letters: the port is found, the settings are the
            listener's own (without `listener.name.<name>.`), `security.protocol` among them.
        scram: Users with their password, for SCRAM-SHA-256 and SCRAM-SHA-512.
        supers: Principals that may do everything; with an authorizer, which there is only where this is given.
    """

    def __init__(
        self,
        folder: Path,
        node: int = 1,
        controllers: Mapping[int, int] | None = None,
        cluster: str | None = None,
        *,
        listeners: Mapping[str, Mapping[str, object]] | None = None,
        scram: Mapping[str, str] | None = None,
        supers: Sequence[str] = (),
    ) -> None:
        self._supers = tuple(supers)
        self._listeners = dict(listeners or {})
        self.ports = {name: free_port() for name in self._listeners}
        self._scram = dict(scram or {})
        self._jars = kafka_jars()
        self._java = program("Java 17", "java")
        self._folder = folder
        self._node = node
        self._controllers = dict(controllers or {node: free_port()})
        self._cluster = cluster or new_cluster_id()
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.server = LocalServer(
            "Apache Kafka",
            self._command("kafka.Kafka", str(self._properties)),
            folder / "kafka.log",
            ready=lambda: True,  # `start` waits for more than its port
        )

    def start(self) -> None:
        """Start it (formatting its folder the first time) and wait until it answers metadata requests."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start it without waiting; a member of a cluster is ready only when most others are there."""
        if not self._properties.exists():
            self._format()
        self.server.start(_READY_WITHIN_S)

    def await_ready(self) -> None:
        """Wait until it answers metadata requests."""
        with ThreadPoolExecutor(1) as thread:  # a test's own event loop may be running in this one
            ready = thread.submit(asyncio.run, self._answers_metadata()).result()
        if not ready:
            raise WorkFailed(f"Apache Kafka at {self.address} is not ready. Its log:\n{self.server.tail()}")

    def stop(self) -> None:
        """Shut it down cleanly."""
        self.server.stop(within_s=20)

    def kill(self) -> None:
        """SIGKILL."""
        self.server.kill()

    def restart(self) -> None:
        """Start it again on its port, after a clean shutdown if it still runs."""
        self.stop()
        self.start()

    def _format(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in self._configuration().items()))
        command = self._command("kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(self._properties))
        for user, password in self._scram.items():
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                command += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WorkFailed(f"Apache Kafka could not format {self._folder}:\n{done.stdout}{done.stderr}")

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _command(self, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={ROOT / 'deploy' / 'kafka' / 'log4j2.properties'}"
        return [self._java, *_JAVA, logging, "-cp", f"{self._jars}/*", *arguments]

    def _configuration(self) -> dict[str, object]:
        voters = ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in self._controllers.items())
        copies = min(3, len(self._controllers))
        doors = {"PLAINTEXT": self.port, "CONTROLLER": self._controllers[self._node], **self.ports}
        protocols = {name: own["security.protocol"] for name, own in self._listeners.items()}
        own = {
            f"listener.name.{name.lower()}.{key}": value
            for name, given in self._listeners.items()
            for key, value in given.items()
            if key != "security.protocol"
        }
        if self._supers:
            own["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            own["super.users"] = ";".join(self._supers)
        return {
            **own,
            "process.roles": "broker,controller",
            "node.id": self._node,
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in doors.items()),
            "listener.security.protocol.map": ",".join(f"{name}:{protocols.get(name, 'PLAINTEXT')}" for name in doors),
            "log.dirs": self._folder / "log",
            # If nobody has created a topic, that is a fault of ours and must show.
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # A killed broker is readmitted only when its old session is over; 9 s by default.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": max(1, copies - 1),
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": max(1, copies - 1),
            "num.network.threads": 2,
            "num.io.threads": 4,
            "log.cleaner.dedupe.buffer.size": 8_388_608,
            "log.cleaner.backoff.ms": 200,
        }

    async def _answers_metadata(self) -> bool:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _READY_WITHIN_S
        while loop.time() < deadline_s and self.server.running:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2000)
            try:
                await admin.start()
                if self._node in {broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]}:
                    return True
            except (KafkaError, OSError, TimeoutError):
                pass
            finally:
                await admin.close()
            await asyncio.sleep(0.1)
        return False


def new_cluster_id() -> str:
    """A cluster id as Kafka wants it: 16 bytes in URL-safe base 64 without padding, not taken for an option."""
    return "W" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def kafka_cluster(folder: Path, brokers: int = 3) -> list[KafkaServer]:
    """Brokers of one cluster, all started and ready; the caller stops each."""
    controllers = {node: free_port() for node in range(1, brokers + 1)}
    cluster = new_cluster_id()
    servers = [KafkaServer(folder / str(node), node, controllers, cluster) for node in controllers]
    for server in servers:
        server.launch()
    for server in servers:
        server.await_ready()
    return servers


async def end_offsets(address: str, topic: str) -> dict[int, int]:
    """The log end of each partition. Correct on Apache Kafka; Tansu answers the start of its last batch + 1."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=address) as consumer:
        partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        return {tp.partition: end for tp, end in (await consumer.end_offsets(partitions)).items()}
