"""Settings: environment variables `WATCHROOM_*`, read once at start.

Every default works on one machine. Durations carry their unit in the name. A secret may also come
from a file of the same name in the folder `WATCHROOM_SECRETS_DIR` (for example
`watchroom_redis_url`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    SecretStr,
    Tag,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.events.tokens import KEY_LEAST_BYTES
from watchroom.fault_words import what_to_write
from watchroom.redis_url import RedisServer, RedisUrlRefused
from watchroom.redis_url import parse as parse_redis_url
from watchroom.redis_url import shown as redis_url_shown
from watchroom.registry import registry
from watchroom.streams import STREAMS

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=63)]
Area = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=63)]  # what an event's text becomes
Areas = Annotated[
    Annotated[tuple[Area, ...], Tag("[list]")] | Annotated[Path, Tag("[file]")],
    Discriminator(lambda value: "[file]" if isinstance(value, Path) else "[list]"),
]
Port = Annotated[int, Field(ge=1, le=65535)]
# What a setting that is JSON can look like; also said where it is none.
JSON_EXAMPLES = {
    "areas": '["stoke", "county"], or the path of a .toml file',
    "sources": '{"calls": {"acd": {"heartbeats": true}}}',
    "lateness_days": '{"calls": 1}',
    "keeping_days": '{"calls": 3}',
    "watchdog_command": '["page", "--now"]',
}
_URL_EXAMPLES = {
    "watchdog_webhook": "https://pager.example/watchroom",
    "exporter_url": "http://127.0.0.1:9464",
    "prometheus_url": "http://127.0.0.1:9090",
    "alertmanager_url": "http://127.0.0.1:9093",
}
_WORDS = {
    r"^[a-z0-9][a-z0-9_-]*$": "lower-case letters, digits, - and _, for example west-midlands",
    r"^[a-z0-9]+(_[a-z0-9]+)*$": "lower-case letters and digits, words joined by _, for example stoke_north",
    r"^[a-z0-9]{1,8}$": "1 to 8 lower-case letters and digits, for example k1",
    r"^[A-Z]{2}$": "a country as two capital letters, for example GB",
    r"^[a-zA-Z0-9._-]+$": "letters, digits, '.', '-' and '_', for example north.live",
}
_MARKS = ("[key]", "[list]", "[file]")  # in the place of a fault: a key that is wrong (pydantic's), a form of areas
PREFIX = "WATCHROOM_"
DEAD_LETTERS: Final = "dead-letters"
TOPICS: Final = registry(
    "topics called",
    [
        *((name, f"events of {name}") for name in STREAMS),
        (DEAD_LETTERS, "events that could not be used"),
    ],
)
"""What lies in the topic `<prefix>.<name>`, by that name."""
# Named so, and no settings: where secrets lie, and what our own tests read.
OTHERS = ("WATCHROOM_SECRETS_DIR", "WATCHROOM_REAL_DATA", "WATCHROOM_TEST_EXAMPLES")
# Kubernetes tells every pod of a service called watchroom or watchroom-exporter in variables of these forms.
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_|$)")
_BROKER = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:,/\[\]@]+):(?P<port>[0-9]{1,5})")


def _a_stream(name: str) -> str:
    if name not in STREAMS:
        raise ValueError(f"one of {', '.join(STREAMS)}")
    return name


StreamName = Annotated[str, AfterValidator(_a_stream)]


class SourceRule(BaseModel):
    """How a declared source shows that it is alive, and whose clock says when its events arrived.

    Not waited for when it has neither heartbeats nor a silence limit (a one-off import).
    """

    model_config = ConfigDict(extra="forbid")

    heartbeats: bool = True
    silence_s: float | None = Field(
        default=None, gt=0, description="longest gap between events, where there are no heartbeats"
    )
    history: bool = Field(default=False, description="its `recordedtime` is the arrival")


class Days(RootModel[dict[StreamName, Annotated[float, Field(gt=0)]]]):
    """A number of days for each stream."""

    def ms(self, stream: str) -> int:
        """The stream's days in milliseconds."""
        return round(self.root[stream] * 86_400_000)


# What holds for a stream that the setting does not name.
DEFAULT_DAYS = {
    "lateness_days": {name: stream.lateness_days for name, stream in STREAMS.items()},
    "keeping_days": {name: stream.keeping_days for name, stream in STREAMS.items()},
}


class Settings(BaseSettings):
    """All settings of all processes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        hide_input_in_errors=True,  # it may be a secret; `_fault` shows what may be shown
        enable_decoding=False,  # `_from_json` does it, so that a fault in it is listed beside the others
        secrets_dir=os.environ.get("WATCHROOM_SECRETS_DIR"),
    )

    force: Slug = Field(default="force", description="names the force; its Redis keys share this hash tag")
    kafka: str = Field(default="127.0.0.1:9092", description="brokers, host:port, comma separated")
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext", description="plaintext, ssl, sasl_plaintext or sasl_ssl: TLS, user and password, or both"
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512", description="how user and password are sent: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"
    )
    kafka_user: str = Field(
        default="", validate_default=True, description="user, with sasl_plaintext and sasl_ssl (may come from a file)"
    )
    kafka_password: SecretStr = Field(
        default=SecretStr(""), validate_default=True, description="that user's password (better from a file)"
    )
    kafka_ca: str = Field(
        default="",
        description="with ssl and sasl_ssl: PEM file of the authorities that sign the brokers' certificates; default:"
        " the system's",
    )
    kafka_cert: str = Field(
        default="", description="with ssl and sasl_ssl: PEM file of our certificate, if brokers ask"
    )
    kafka_key: str = Field(default="", validate_default=True, description="PEM file of its key, without a pass phrase")
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        repr=False,  # it may hold a password
        description="Redis or Valkey: redis://[[user]:password@]host[:port][/database], rediss:// with TLS,"
        " redis+sentinel://[[user]:password@]host[:port][,host[:port]]/service[/database] with the hosts of sentinels"
        " (rediss+sentinel:// with TLS), or unix://[[user]:password@]/path[?db=database]; user and password are"
        " percent-encoded (better from a file)",
    )
    redis_sentinel_user: str = Field(
        default="", description="with redis+sentinel://: the sentinels' own user, where they have users"
    )
    redis_sentinel_password: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        description="with redis+sentinel://: the sentinels' own password, where they ask for one (better from a file)",
    )
    redis_read_from: Literal["primary", "replica"] = Field(
        default="primary",
        description="with redis+sentinel://: whether the exporter reads from the primary or, where there is one, from a"
        " replica",
    )
    redis_ca: str = Field(
        default="",
        description="with rediss:// or rediss+sentinel://: PEM file of the authority that signs the servers'"
        " certificates; default: the system's",
    )
    redis_cert: str = Field(
        default="",
        description="with rediss:// or rediss+sentinel://: PEM file of our own certificate, where Redis asks for one",
    )
    redis_key: str = Field(default="", validate_default=True, description="PEM file of its key, without a pass phrase")
    topic_prefix: str = Field(
        default="watchroom", pattern=r"^[a-zA-Z0-9._-]+$", description="topics are <prefix>.calls and so on"
    )
    group: str = Field(default="watchroom", description="Kafka consumer group of the workers")
    partitions: int = Field(default=4, ge=1, le=256, description="partitions of a topic when we create it")
    replication: int = Field(default=1, ge=1, description="copies of a topic when we create it")
    zone: str = Field(default="Europe/London", description="reporting zone of days and months")
    areas: Areas = Field(
        default=Path("areas.toml"),
        description="the areas: a .toml file with their values, aliases and groups (a relative path starts at the"
        ' folder of WATCHROOM_SCHEMAS), or the listed values alone as JSON: ["stoke", "county"]',
    )
    streams: tuple[StreamName, ...] = Field(
        default=tuple(name for name, stream in STREAMS.items() if stream.by_default),
        min_length=1,
        description="the streams that this force feeds, comma separated; the others have no topic, series or alert",
    )
    sources: dict[StreamName, dict[str, SourceRule]] = Field(
        default_factory=dict, description='declared sources by stream: {"calls": {"acd": {"heartbeats": true}}}'
    )
    lateness_days: Days = Field(
        default=Days(DEFAULT_DAYS["lateness_days"]),
        description="an event later than this is a dead letter; a month closes so long after its end, one of returns"
        " after 30 days; a stream that is not named keeps its default",
    )
    keeping_days: Days = Field(
        default=Days(DEFAULT_DAYS["keeping_days"]),
        description="how long an entity is known after its last event; a stream that is not named keeps its default",
    )
    future_s: float = Field(
        default=300, ge=0, description="how far an event's time may lie after its arrival, and after its Kafka record"
    )
    step_events: int = Field(default=2000, ge=1, le=20000, description="most events in one atomic step")
    fresh_s: float = Field(default=10, gt=0, description="a partition older than this withholds its stream")
    silent_s: float = Field(default=90, gt=0, description="a source silent for longer withholds its stream")
    touch_s: float = Field(default=2, gt=0, description="freshness is written at least this often")
    partitions_settle_s: float = Field(
        default=420,
        ge=0,
        description="so long after partitions were added a producer may write by the earlier count: its"
        " metadata.max.age.ms and delivery.timeout.ms together",
    )
    session_timeout_s: float = Field(default=10, gt=0, description="a silent worker loses its partitions after this")
    worker_name: str = Field(
        default="", description="begins its static member name; default: host name and health port"
    )
    health_host: str = Field(default="127.0.0.1", description="address of the worker's health page")
    health_port: Port = Field(default=9465, description="port of the worker's health page")
    exporter_host: str = Field(default="127.0.0.1", description="address of the board and of /metrics")
    exporter_port: Port = Field(default=9464, description="port of the board and of /metrics")
    exporter_url: str = Field(
        default="",
        repr=False,  # it may hold a password, as the two below
        description="where `watchroom doctor` reaches the exporter; default: the address above",
    )
    prometheus_url: str = Field(
        default="",
        repr=False,
        description="where `watchroom doctor` reaches Prometheus, for example http://127.0.0.1:9090; default: not"
        " checked",
    )
    alertmanager_url: str = Field(
        default="",
        repr=False,
        description="where `watchroom doctor` reaches Alertmanager, for example http://127.0.0.1:9093; default: not"
        " checked",
    )
    watchdog_host: str = Field(default="127.0.0.1", description="address of the watchdog receiver")
    watchdog_port: Port = Field(default=9466, description="port of the watchdog receiver")
    watchdog_silent_s: float = Field(
        default=180,
        gt=0,
        description="the alert Watchdog is silent after this; over twice Alertmanager's repeat interval for it",
    )
    watchdog_repeat_s: float = Field(
        default=900, gt=0, description="the fallback alert is sent again while the Watchdog alert is missing"
    )
    watchdog_webhook: str = Field(
        default="",
        repr=False,
        description="a fallback channel: a URL that gets JSON by POST, through the proxy of HTTP_PROXY, HTTPS_PROXY or"
        " ALL_PROXY unless NO_PROXY names its host (may be a secret)",
    )
    watchdog_command: tuple[str, ...] = Field(
        default=(),
        description='a fallback channel: program and arguments, JSON on its standard input: ["page", "--now"]',
    )
    token_key: SecretStr = Field(
        default=SecretStr(""),
        exclude=True,  # of whatever is shown or passed on: only who makes tokens needs it, and reads it itself
        description="the secret from which tokens are made, at least 32 bytes (better from a file); the embedded stack "
        "makes one for its run where there is none",
    )
    token_key_id: str = Field(
        default="k1", pattern=r"^[a-z0-9]{1,8}$", description="names that key; each token begins with it"
    )
    token_country: str = Field(
        default="GB", pattern=r"^[A-Z]{2}$", description="country of telephone numbers that do not begin with +"
    )
    schemas: Path = Field(
        default=Path(__file__).resolve().parents[2] / "schemas", description="folder of the catalogue and mappings"
    )

    @field_validator(*JSON_EXAMPLES, mode="before")
    @classmethod
    def _from_json(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if info.field_name == "areas" and value.endswith(".toml"):
            return Path(value)
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"JSON such as {JSON_EXAMPLES[str(info.field_name)]} ({error})") from None

    @field_validator(*DEFAULT_DAYS, mode="after")
    @classmethod
    def _over_defaults(cls, value: Days, info: ValidationInfo) -> Days:
        return Days(DEFAULT_DAYS[str(info.field_name)] | value.root)

    @field_validator("streams", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(filter(None, (name.strip() for name in value.split(","))))

    @field_validator("streams")
    @classmethod
    def _in_order(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in STREAMS if name in value)

    @field_serializer("streams")
    def _as_list(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, value: str) -> str:
        found = [_BROKER.fullmatch(broker.strip()) for broker in value.split(",")]
        if not all(match and 0 < int(match["port"]) < 65536 for match in found):
            raise ValueError("host:port, comma separated, for example 127.0.0.1:9092")
        return value

    @field_validator("kafka_user", "kafka_password")
    @classmethod
    def _with_sasl(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        """Where nobody sends them they must not be given: somebody believes that they are sent."""
        is_given = bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
        security = info.data.get("kafka_security", "")
        if security.startswith("sasl_") and not is_given:
            raise ValueError(f"one, or WATCHROOM_KAFKA_SECURITY other than {security}")
        if security in ("plaintext", "ssl") and is_given:
            raise ValueError(f"none, or WATCHROOM_KAFKA_SECURITY other than {security}: {security} sends none")
        return value

    @field_validator("kafka_ca", "kafka_cert")
    @classmethod
    def _with_tls(cls, value: str, info: ValidationInfo) -> str:
        security = info.data.get("kafka_security", "")
        if value and security in ("plaintext", "sasl_plaintext"):
            raise ValueError(f"none, or WATCHROOM_KAFKA_SECURITY other than {security}: {security} has no TLS")
        return value

    @field_validator("kafka_key", "redis_key")
    @classmethod
    def _with_certificate(cls, value: str, info: ValidationInfo) -> str:
        server = str(info.field_name).partition("_")[0]
        certificate = info.data.get(f"{server}_cert")
        if certificate is not None and bool(certificate) != bool(value):
            name = f"{PREFIX}{server.upper()}"
            raise ValueError(f"both {name}_CERT and {name}_KEY, or neither")
        return value

    @field_validator("redis_ca", "redis_cert")
    @classmethod
    def _with_rediss(cls, value: str, info: ValidationInfo) -> str:
        url = info.data.get("redis_url")
        if value and url is not None and not parse_redis_url(url).has_tls:
            raise ValueError("none, or rediss:// in WATCHROOM_REDIS_URL: without it there is no TLS")
        return value

    @field_validator("redis_sentinel_user", "redis_sentinel_password", "redis_read_from")
    @classmethod
    def _with_sentinels(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        """Where nobody uses them they must not be given: somebody believes that they are used."""
        url = info.data.get("redis_url")
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text not in ("", "primary") and url is not None and not parse_redis_url(url).sentinels:
            write = "primary" if info.field_name == "redis_read_from" else "none"
            raise ValueError(f"{write}, or redis+sentinel:// in WATCHROOM_REDIS_URL: there are no sentinels without it")
        if isinstance(value, SecretStr) and not text and info.data.get("redis_sentinel_user"):
            raise ValueError("the password of WATCHROOM_REDIS_SENTINEL_USER, or no user")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str) -> str:
        parse_redis_url(value)
        return value

    @field_validator("watchdog_webhook", "exporter_url", "prometheus_url", "alertmanager_url")
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        try:
            parts = urlsplit(value)
            is_known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_known = False
        if value and not is_known:
            raise ValueError(f"a URL such as {_URL_EXAMPLES[str(info.field_name)]} (http:// or https://)")
        return value

    @field_validator("token_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        value = SecretStr(value.get_secret_value().strip())
        if 0 < len(value.get_secret_value().encode()) < KEY_LEAST_BYTES:
            raise ValueError(
                f"a secret of at least {KEY_LEAST_BYTES} bytes, for example from `openssl rand -base64 32`"
            )
        return value

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError("a zone of the IANA database, such as Europe/London") from None
        return value

    @field_validator("keeping_days")
    @classmethod
    def _kept_while_admitted(cls, value: Days, info: ValidationInfo) -> Days:
        """An event that is still admitted must find its entity, or a repeated one would count twice."""
        lateness = info.data.get("lateness_days")
        ahead_ms = round(info.data.get("future_s", 0) * 1000)  # a first event may arrive before its time
        needed_ms = {name: lateness.ms(name) + ahead_ms for name in STREAMS} if lateness is not None else {}
        if short := [name for name, least_ms in needed_ms.items() if value.ms(name) < least_ms]:
            raise ValueError(
                f"days of {', '.join(short)} not below those of WATCHROOM_LATENESS_DAYS and WATCHROOM_FUTURE_S together"
            )
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
    def redis(self) -> RedisServer:
        """Redis with all that a client of it needs."""
        password = self.redis_sentinel_password.get_secret_value()
        return RedisServer(
            self.redis_url, self.redis_ca, self.redis_cert, self.redis_key, self.redis_sentinel_user, password
        )

    @property
    def redis_to_show(self) -> RedisServer:
        """Redis as the exporter reads it: it may be a replica."""
        return self.redis._replace(read_from=self.redis_read_from)

    @property
    def kafka_tools(self) -> str:
        """Options of Kafka's own command-line tools, for commands that messages tell a person to run."""
        config = "" if self.kafka_security == "plaintext" else " --command-config client.properties"
        return f"--bootstrap-server {self.kafka.replace(' ', '')}{config}"

    @property
    def redis_shown(self) -> str:
        """The Redis URL without user and password, for messages."""
        return redis_url_shown(self.redis_url)

    @property
    def dead_letter_topic(self) -> str:
        """Kafka topic of the events that could not be used."""
        return self.topic(DEAD_LETTERS)


def read_settings(**given: object) -> Settings:
    """The settings of this process; `given` (command-line options) stand over the environment.

    Raises:
        ConfigurationInvalid: One or more cannot be used, or do not exist; all are listed.
    """
    faults = list(_unknown(os.environ))
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks what it is given
    except ValidationError as error:
        raise ConfigurationInvalid([*faults, *map(_fault, _told_once(error.errors()))]) from error
    except SettingsError as error:
        secrets = Fault("WATCHROOM_SECRETS_DIR", "", str(error), "the path of a folder that holds files")
        raise ConfigurationInvalid([*faults, secrets]) from error
    if faults:
        raise ConfigurationInvalid(faults)
    return settings


def _unknown(environment: Mapping[str, str]) -> Iterator[Fault]:
    """Variables that look like settings and are none: a mistyped one must not leave its default in force unseen."""
    known = [name.upper() for name in Settings.model_fields]
    for name, value in environment.items():
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.removeprefix(PREFIX) in known or upper in OTHERS:
            continue
        if _SERVICE_LINK.search(upper) or (upper.endswith("_PORT") and "://" in value):
            continue
        meant = get_close_matches(upper.removeprefix(PREFIX), known, n=1)
        asked = f" (did you mean {PREFIX}{meant[0]}?)" if meant else ""
        yield Fault(name, "", f"no such setting{asked}", "one of those in deploy/settings.md, or take it away")


def _told_once(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Without what follows from another: streams whose names are all wrong are not also none."""
    names = any(item["loc"][:1] == ("streams",) and len(item["loc"]) > 1 for item in errors)
    for item in errors:
        if not (names and item["loc"] == ("streams",)):
            yield item


def _fault(item: ErrorDetails) -> Fault:
    path = [str(part) for part in item["loc"] if part not in _MARKS]
    return Fault(
        where=PREFIX + path[0].upper() if path else "settings",
        key="" if path[:1] == ["streams"] else ".".join(path[1:]),  # a place in a list that nobody wrote as one
        found="nothing" if item["type"] == "missing" else _shown(path, item.get("input")),
        write=_write(path, item),
    )


def _write(path: list[str], item: ErrorDetails) -> str:
    example = JSON_EXAMPLES.get(path[0]) if path else None
    if item["type"] == "extra_forbidden":
        return f"one of {', '.join(SourceRule.model_fields)}, not {path[-1]}"
    if path == ["streams"] and item["type"] == "too_short":
        return f"at least one of {', '.join(STREAMS)}, comma separated"
    if item["type"] in ("tuple_type", "dict_type", "model_type"):
        return f"JSON such as {example}"
    return what_to_write(item, _WORDS)


def _shown(path: list[str], found: object) -> str:
    """What was found; nothing that may be a password."""
    if path in (["kafka_password"], ["redis_sentinel_password"]):
        return "(hidden)" if str(found) else "nothing"
    if path == ["token_key"] or path[0] in _URL_EXAMPLES:  # addresses often hold a token anywhere in them
        return "(hidden)"
    if path == ["streams"]:
        return repr(",".join(map(str, found))) if isinstance(found, tuple) else repr(found)
    if path == ["redis_url"]:
        return _what_is_wrong(str(found))
    return repr(found)


def _what_is_wrong(redis_url: str) -> str:
    try:
        parse_redis_url(redis_url)
    except RedisUrlRefused as error:
        return error.found
    return redis_url_shown(redis_url)
