"""Settings of the connections to Kafka and Redis, and which of them need or exclude each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from watchroom.redis_url import RedisServer
from watchroom.redis_url import parse as parse_redis_url
from watchroom.redis_url import shown as redis_url_shown
from watchroom.settings.values import PREFIX, Brokers, KafkaMechanism, KafkaSecurity, RedisUrl


def _both_or_neither(key: str, info: ValidationInfo) -> str:
    server = str(info.field_name).removesuffix("_key")
    certificate = info.data.get(f"{server}_cert")  # None if it has a fault
    if certificate is not None and bool(certificate) != bool(key):
        names = f"{PREFIX}{server}".upper()
        raise ValueError(f"both {names}_CERT and {names}_KEY, or neither")
    return key


KeyFile = Annotated[str, AfterValidator(_both_or_neither)]


class KafkaSettings(BaseModel):
    """The brokers, and how to log in to them."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kafka: Brokers = Field(default="127.0.0.1:9092", examples=["kafka-1.example:9093,kafka-2.example:9093"])
    """brokers, host:port, comma separated"""
    kafka_security: KafkaSecurity = Field(default="plaintext", examples=["sasl_ssl"])
    """plaintext, ssl (TLS), sasl_plaintext (user and password) or sasl_ssl (both)"""
    kafka_mechanism: KafkaMechanism = "SCRAM-SHA-512"
    """how user and password are sent: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"""
    kafka_user: str = Field(default="", validate_default=True, examples=["watchroom-worker"])
    """user for sasl_plaintext and sasl_ssl (may come from a file)"""
    kafka_password: SecretStr = Field(
        default=SecretStr(""), validate_default=True, examples=["the-password-on-the-brokers"]
    )
    """that user's password (preferably from a file)"""
    kafka_ca: str = Field(default="", examples=["/etc/watchroom/tls/kafka-ca.pem"])
    """with ssl and sasl_ssl: PEM file with the authorities that sign the brokers' certificates; defaults to
    the system's authorities"""
    kafka_cert: str = Field(default="", examples=["/etc/watchroom/tls/kafka.pem"])
    """with ssl and sasl_ssl: PEM file with our certificate, if the brokers ask for one"""
    kafka_key: KeyFile = Field(default="", validate_default=True, examples=["/etc/watchroom/tls/kafka-key.pem"])
    """PEM file with the key for that certificate, without a passphrase"""

    @property
    def kafka_tools(self) -> str:
        """Options of Kafka's own command-line tools, for commands that messages tell a person to run."""
        config = "" if self.kafka_security == "plaintext" else " --command-config client.properties"
        return f"--bootstrap-server {self.kafka.replace(' ', '')}{config}"

    @field_validator("kafka_user", "kafka_password")
    @classmethod
    def _with_sasl(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        """A login that is not sent must not be given, because somebody believes that it is sent."""
        security = info.data.get("kafka_security", "")
        if security.startswith("sasl_") and not _text(value):
            raise ValueError(f"a value, or WATCHROOM_KAFKA_SECURITY other than {security}")
        if security in ("plaintext", "ssl") and _text(value):
            raise ValueError(f"nothing, or WATCHROOM_KAFKA_SECURITY other than {security}: {security} does not send it")
        return value

    @field_validator("kafka_ca", "kafka_cert")
    @classmethod
    def _kafka_with_tls(cls, value: str, info: ValidationInfo) -> str:
        security = info.data.get("kafka_security", "")
        if value and security in ("plaintext", "sasl_plaintext"):
            raise ValueError(f"nothing, or WATCHROOM_KAFKA_SECURITY other than {security}: {security} does not use TLS")
        return value


class RedisSettings(BaseModel):
    """The Redis that holds the figures, and how to log in to it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    redis_url: RedisUrl = Field(
        default="redis://127.0.0.1:6379/0",
        repr=False,  # it may contain a password
        examples=["rediss+sentinel://sentinel-1.example:26379,sentinel-2.example:26379/watchroom"],
    )
    """Redis or Valkey: redis://[[user]:password@]host[:port][/database], rediss:// with TLS,
    redis+sentinel://[[user]:password@]host[:port][,host[:port]]/service[/database] with the hosts of sentinels
    (rediss+sentinel:// with TLS), or unix://[[user]:password@]/path[?db=database]; user and password are
    percent-encoded (preferably from a file)"""
    redis_sentinel_user: str = Field(default="", examples=["watchroom"])
    """with redis+sentinel://: the sentinels' own user, if they have users"""
    redis_sentinel_password: SecretStr = Field(
        default=SecretStr(""), validate_default=True, examples=["the-password-on-the-sentinels"]
    )
    """with redis+sentinel://: the sentinels' own password, if they have one (preferably from a file)"""
    redis_read_from: Literal["primary", "replica"] = Field(default="primary", examples=["replica"])
    """with redis+sentinel://: whether the exporter reads from the primary or, if there is one, from a replica"""
    redis_ca: str = Field(default="", examples=["/etc/watchroom/tls/redis-ca.pem"])
    """with rediss:// or rediss+sentinel://: PEM file with the authorities that sign the servers' certificates;
    defaults to the system's authorities"""
    redis_cert: str = Field(default="", examples=["/etc/watchroom/tls/redis.pem"])
    """with rediss:// or rediss+sentinel://: PEM file with our own certificate, if Redis asks for one"""
    redis_key: KeyFile = Field(default="", validate_default=True, examples=["/etc/watchroom/tls/redis-key.pem"])
    """PEM file with the key for that certificate, without a passphrase"""

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
    def redis_shown(self) -> str:
        """The Redis URL without user and password, for messages."""
        return redis_url_shown(self.redis_url)

    @field_validator("redis_sentinel_user", "redis_sentinel_password", "redis_read_from")
    @classmethod
    def _with_sentinels(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        """Settings without effect must not be given, because somebody believes that they are used."""
        url, text = info.data.get("redis_url"), _text(value)
        if text not in ("", "primary") and url is not None and not parse_redis_url(url).sentinels:
            write = "primary" if info.field_name == "redis_read_from" else "nothing"
            raise ValueError(f"{write}, or redis+sentinel:// in WATCHROOM_REDIS_URL: only that scheme uses sentinels")
        if isinstance(value, SecretStr) and not text and info.data.get("redis_sentinel_user"):
            raise ValueError("the password of WATCHROOM_REDIS_SENTINEL_USER, or no user")
        return value

    @field_validator("redis_ca", "redis_cert")
    @classmethod
    def _redis_with_tls(cls, value: str, info: ValidationInfo) -> str:
        url = info.data.get("redis_url")
        if value and url is not None and not parse_redis_url(url).has_tls:
            raise ValueError("nothing, or rediss:// in WATCHROOM_REDIS_URL: only that scheme uses TLS")
        return value


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
