"""All settings with their defaults and meanings, and the names of topics that follow from them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_serializer, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from watchroom.registry import registry
from watchroom.settings.servers import KafkaSettings, RedisSettings
from watchroom.settings.values import (
    PREFIX,
    Areas,
    Days,
    Port,
    Slug,
    SourceRule,
    StreamName,
    StreamNames,
    TokenKey,
    WebUrl,
    Zone,
)
from watchroom.streams import STREAMS

DEAD_LETTERS: Final = "dead-letters"
registry("topics named", [*((name, f"events of {name}") for name in STREAMS), (DEAD_LETTERS, "dead letters")])
# For streams that the setting does not name.
DEFAULT_DAYS: Final = {
    "lateness_days": {name: stream.lateness_days for name, stream in STREAMS.items()},
    "keeping_days": {name: stream.keeping_days for name, stream in STREAMS.items()},
}
JSON: Final = ("areas", "sources", *DEFAULT_DAYS, "watchdog_command")  # settings that are written as JSON


class Settings(RedisSettings, KafkaSettings, BaseSettings):
    """All settings of all processes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        use_attribute_docstrings=True,
        extra="ignore",
        hide_input_in_errors=True,  # it may be a secret; `read` shows what may be shown
        enable_decoding=False,  # `_from_json` does it, so that its faults are listed with all others
        secrets_dir=os.environ.get("WATCHROOM_SECRETS_DIR"),
    )

    force: Slug = Field(default="force", examples=["west-midlands"])
    """name of the force; its Redis keys share this hash tag"""
    topic_prefix: str = Field(default="watchroom", pattern=r"^[a-zA-Z0-9._-]+$", examples=["north.live"])
    """topics are named <prefix>.calls and so on"""
    group: str = "watchroom"
    """Kafka consumer group of the workers"""
    partitions: int = Field(default=4, ge=1, le=256, examples=["8"])
    """number of partitions of a topic that Watchroom creates"""
    replication: int = Field(default=1, ge=1, examples=["3"])
    """number of replicas of a topic that Watchroom creates"""
    zone: Zone = "Europe/London"
    """time zone that defines days and months in reports"""
    areas: Areas = Field(default=Path("areas.toml"), examples=['["stoke", "county"]', "the path of a .toml file"])
    """the areas: a .toml file with their values, aliases and groups (a relative path is relative to the
    WATCHROOM_SCHEMAS folder), or only the values, as a JSON list"""
    streams: StreamNames = Field(
        default=tuple(name for name, stream in STREAMS.items() if stream.by_default), min_length=1
    )
    """streams that this force feeds, comma separated; the others have no topic, series or alerts"""
    sources: dict[StreamName, dict[str, SourceRule]] = Field(
        default_factory=dict, examples=['{"calls": {"acd": {"heartbeats": true}}}']
    )
    """declared sources by stream; docs/operate.md lists the keys"""
    lateness_days: Days = Field(default=Days(DEFAULT_DAYS["lateness_days"]), examples=['{"calls": 1}'])
    """an event that arrives later than this becomes a dead letter, and a month closes this long after its end (a
    month of returns: 30 days); a stream that is not named keeps its default"""
    keeping_days: Days = Field(default=Days(DEFAULT_DAYS["keeping_days"]), examples=['{"calls": 3}'])
    """how long an entity is kept after its last event; a stream that is not named keeps its default"""
    future_s: float = Field(default=300, ge=0)
    """how far an event's time may be ahead of its arrival and of its Kafka record's timestamp"""
    step_events: int = Field(default=2000, ge=1, le=20000)
    """maximum number of events in one atomic step"""
    fresh_s: float = Field(default=10, gt=0)
    """a stream is withheld once one of its partitions has not been up to date for this long"""
    silent_s: float = Field(default=90, gt=0)
    """a stream is withheld once one of its sources has been silent for this long"""
    touch_s: float = Field(default=2, gt=0)
    """freshness is written at least this often"""
    partitions_settle_s: float = Field(default=420, ge=0)
    """how long after partitions are added a producer may still use the earlier number: its metadata.max.age.ms plus
    its delivery.timeout.ms"""
    session_timeout_s: float = Field(default=10, gt=0)
    """a worker that sends nothing to Kafka for this long loses its partitions"""
    worker_name: str = Field(default="", examples=["worker-1"])
    """prefix of the worker's static member name; defaults to the host name and health port"""
    health_host: str = "127.0.0.1"
    """address of the worker's health page"""
    health_port: Port = 9465
    """port of the worker's health page"""
    exporter_host: str = "127.0.0.1"
    """address of the board and of /metrics"""
    exporter_port: Port = 9464
    """port of the board and of /metrics"""
    # it may contain a password, as may the two below
    exporter_url: WebUrl = Field(default="", repr=False, examples=["http://exporter.example:9464"])
    """where `watchroom doctor` reaches the exporter; defaults to the address above"""
    prometheus_url: WebUrl = Field(default="", repr=False, examples=["http://127.0.0.1:9090"])
    """where `watchroom doctor` reaches Prometheus; not checked if unset"""
    alertmanager_url: WebUrl = Field(default="", repr=False, examples=["http://127.0.0.1:9093"])
    """where `watchroom doctor` reaches Alertmanager; not checked if unset"""
    watchdog_host: str = "127.0.0.1"
    """address of the watchdog receiver"""
    watchdog_port: Port = 9466
    """port of the watchdog receiver"""
    watchdog_silent_s: float = Field(default=180, gt=0)
    """the Watchdog alert counts as missing after this long; set it to more than twice Alertmanager's repeat interval"""
    watchdog_repeat_s: float = Field(default=900, gt=0)
    """how often the fallback alert is repeated while the Watchdog alert is missing"""
    watchdog_webhook: WebUrl = Field(default="", repr=False, examples=["https://pager.example/watchroom"])
    """fallback channel: a URL that receives JSON by POST, through the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY
    unless NO_PROXY names its host (may be a secret)"""
    watchdog_command: tuple[str, ...] = Field(default=(), examples=['["page", "--now"]'])
    """fallback channel: program and arguments; it reads JSON from standard input"""
    # never shown or passed on: the code that makes tokens reads it itself
    token_key: TokenKey = Field(default=SecretStr(""), exclude=True, examples=["output-of-openssl-rand-base64-32"])
    """secret key for tokens, at least 32 bytes (preferably from a file); an embedded stack without one generates a
    key for each run"""
    token_key_id: str = Field(default="k1", pattern=r"^[a-z0-9]{1,8}$")
    """name of that key; every token starts with it"""
    token_country: str = Field(default="GB", pattern=r"^[A-Z]{2}$")
    """country of telephone numbers without a leading +"""
    schemas: Path = Field(default=Path(__file__).resolve().parents[3] / "schemas", examples=["/etc/watchroom/schemas"])
    """folder of the catalogue and mappings"""

    @field_validator(*JSON, mode="before")
    @classmethod
    def _from_json(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if info.field_name == "areas" and value.endswith(".toml"):
            return Path(value)
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"JSON such as {cls.json_example(str(info.field_name))} ({error})") from None

    @classmethod
    def json_example(cls, name: str) -> str:
        """What a setting that is JSON can look like."""
        return ", or ".join(map(str, cls.model_fields[name].examples or ()))

    @field_validator(*DEFAULT_DAYS, mode="after")
    @classmethod
    def _over_defaults(cls, value: Days, info: ValidationInfo) -> Days:
        return Days(DEFAULT_DAYS[str(info.field_name)] | value.root)

    @field_serializer("streams")
    def _as_list(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    @field_validator("keeping_days")
    @classmethod
    def _kept_while_admitted(cls, value: Days, info: ValidationInfo) -> Days:
        """An event that is still admitted must find its entity, or a repeated one would count twice."""
        lateness = info.data.get("lateness_days")
        ahead_ms = round(info.data.get("future_s", 0) * 1000)  # a first event may arrive before its time
        needed_ms = {name: lateness.ms(name) + ahead_ms for name in STREAMS} if lateness is not None else {}
        if short := [name for name, least_ms in needed_ms.items() if value.ms(name) < least_ms]:
            raise ValueError(f"at least WATCHROOM_LATENESS_DAYS plus WATCHROOM_FUTURE_S for {', '.join(short)}")
        return value

    def closes_after_ms(self, stream: str) -> int:
        """How long after its end a month of a stream closes."""
        days = STREAMS[stream].closing_days
        return self.lateness_days.ms(stream) if days is None else round(days * 86_400_000)

    def topic(self, stream: str) -> str:
        """Kafka topic of a stream."""
        return f"{self.topic_prefix}.{stream}"

    @property
    def topics(self) -> dict[str, str]:
        """Kafka topic of each stream that is fed, by stream."""
        return {stream: self.topic(stream) for stream in self.streams}

    @property
    def dead_letter_topic(self) -> str:
        """Kafka topic of the events that could not be used."""
        return self.topic(DEAD_LETTERS)
