"""Reads a Redis URL strictly, and shows it without its password.

A lenient reader takes a mistyped database for 0, and a password with `/` in it for a path. Here a URL must name exactly
one server (or one service of sentinels) and one database. Of a refused URL only the scheme is shown, because it is not
known where its password ends.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

EXAMPLE: Final = "redis://127.0.0.1:6379/0"
SENTINEL_EXAMPLE: Final = "redis+sentinel://10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379/mymaster/0"
DEFAULT_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
UNIX: Final = "unix"

_SCHEME = re.compile(r"(rediss?(?:\+sentinel)?|unix)://(.*)", re.IGNORECASE | re.DOTALL)
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:,/\[\]@%\\]+)(?::(?P<port>[0-9]{1,5}))?")
_SERVICE = re.compile(r"[A-Za-z0-9._-]+")  # what a sentinel allows
_DATABASE = re.compile(r"[0-9]{1,9}")
_NOT_PLAIN = re.compile(r"[\x00-\x20\x7f\[\]\\]")  # what readers of URLs drop, or take for the mark of something else
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class RedisUrlRefused(ValueError):
    """A URL that cannot be used: `found` says what is wrong without quoting it, the message what to write."""

    def __init__(self, found: str, write: str) -> None:
        self.found = found
        super().__init__(write)


class Endpoint(NamedTuple):
    """Where a server listens."""

    host: str  # an IPv6 address without its brackets
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class RedisAddress(NamedTuple):
    """One server, one database and a login; with sentinels, the server is the one that they name."""

    scheme: str  # redis, rediss, unix, redis+sentinel or rediss+sentinel
    user: str  # "" for the default user
    password: str  # "" for none
    host: str  # as in `Endpoint`; "" for a socket, and if sentinels name it
    port: int
    path: str  # of the socket; "" for a host
    database: int
    sentinels: tuple[Endpoint, ...] = ()
    service: str = ""  # the sentinels' name of the primary and its replicas

    @property
    def has_tls(self) -> bool:
        """Whether all connections are encrypted, those to the sentinels too."""
        return self.scheme.startswith("rediss")

    @property
    def shown(self) -> str:
        """The URL without user and password."""
        if self.scheme == UNIX:
            return f"unix://{self.path}?db={self.database}"
        if self.sentinels:
            return f"{self.scheme}://{','.join(map(str, self.sentinels))}/{self.service}/{self.database}"
        return f"{self.scheme}://{Endpoint(self.host, self.port)}/{self.database}"

    def at(self, found: Endpoint) -> RedisAddress:
        """The address of one server that the sentinels named."""
        scheme = "rediss" if self.has_tls else "redis"
        return self._replace(scheme=scheme, host=found.host, port=found.port, sentinels=(), service="")


class RedisServer(NamedTuple):
    """A URL, the PEM files of its TLS, and the login of the sentinels.

    "" means the system's authorities, no certificate of ours, or no login.
    """

    url: str
    ca: str = ""
    cert: str = ""
    key: str = ""
    sentinel_user: str = ""
    sentinel_password: str = ""
    read_from: str = "primary"  # or "replica", which only readers use

    def __repr__(self) -> str:
        return f"RedisServer({shown(self.url)})"  # the fields hold passwords


def parse(url: str) -> RedisAddress:
    """The server that a URL names.

    `redis://[[user]:password@]host[:port][/database]`, the same with `rediss`,
    `redis+sentinel://[[user]:password@]host[:port][,host[:port]]/service[/database]` with the hosts of sentinels, the
    same with `rediss+sentinel`, or `unix://[[user]:password@]/path[?db=database]`. User, password and path are
    percent-encoded; user and password are those of Redis, not of the sentinels.

    Raises:
        RedisUrlRefused: It does not name exactly one server and one database.
    """
    match = _SCHEME.fullmatch(url)
    if match is None:
        raise RedisUrlRefused(
            "no redis://, rediss://, unix://, redis+sentinel:// or rediss+sentinel:// at the start",
            f"a URL such as {EXAMPLE} (redis://, rediss:// or unix://) or {SENTINEL_EXAMPLE}",
        )
    scheme, rest = match[1].lower(), match[2]
    before = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(before) :]:
        raise RedisUrlRefused(
            "an @ after the first /, ? or #",
            "the user and password percent-encoded: / as %2F, ? as %3F, # as %23, @ as %40",
        )
    if _BAD_PERCENT.search(rest):
        raise RedisUrlRefused("a % without two hex digits after it", "%25 for each % in the username or password")
    credentials, _, _ = before.rpartition("@")
    if _NOT_PLAIN.search(credentials):
        raise RedisUrlRefused(
            "a space, control character, [, ] or \\ in the user or password",
            "that character percent-encoded: a space as %20, [ as %5B, ] as %5D, \\ as %5C",
        )
    user, _, password = (_decoded(part) for part in credentials.partition(":"))
    server = rest[len(credentials) + 1 :] if "@" in before else rest
    if scheme == UNIX:
        return _socket(user, password, server)
    if scheme.endswith("+sentinel"):
        return _sentinels(scheme, user, password, server)
    return _host(scheme, user, password, server)


def shown(url: str) -> str:
    """The URL for messages: without user and password, and of one that is refused the scheme alone."""
    try:
        return parse(url).shown
    except RedisUrlRefused:
        match = _SCHEME.fullmatch(url)
        return f"{match[1].lower()}://(hidden)" if match else "(hidden)"


def _host(scheme: str, user: str, password: str, server: str) -> RedisAddress:
    _refuse_options(server, EXAMPLE)
    if "," in server:
        raise RedisUrlRefused(
            "several hosts", f"one host and port, for example {EXAMPLE}; for sentinels, {SENTINEL_EXAMPLE}"
        )
    text, _, database = server.partition("/")
    found = _endpoint(text, DEFAULT_PORT)
    if found is None:
        raise RedisUrlRefused("no host, or a port outside 1 to 65535", f"host and port, for example {EXAMPLE}")
    return RedisAddress(scheme, user, password, *found, "", _database(database or "0", EXAMPLE))


def _sentinels(scheme: str, user: str, password: str, server: str) -> RedisAddress:
    _refuse_options(server, SENTINEL_EXAMPLE)
    hosts, _, path = server.partition("/")
    found = [_endpoint(text, SENTINEL_PORT) for text in hosts.split(",")]
    if None in found:
        raise RedisUrlRefused(
            "a sentinel without a host, or with a port outside 1 to 65535",
            f"host and port of each sentinel, comma separated, for example {SENTINEL_EXAMPLE}",
        )
    service, _, database = path.partition("/")
    if not _SERVICE.fullmatch(service):
        raise RedisUrlRefused(
            "no service name after the sentinels",
            f"the name that the sentinels give to the primary (`sentinel monitor NAME ...`): {SENTINEL_EXAMPLE}",
        )
    number = _database(database or "0", SENTINEL_EXAMPLE)
    return RedisAddress(scheme, user, password, "", 0, "", number, tuple(filter(None, found)), service)


def _endpoint(text: str, default_port: int) -> Endpoint | None:
    """Host and port; None if there is no host, or its port cannot be used."""
    match = _SERVER.fullmatch(text)
    port = int(match["port"] or default_port) if match else 0
    return Endpoint(match["host"].strip("[]"), port) if match and 0 < port < 65536 else None


def _refuse_options(server: str, example: str) -> None:
    if "?" in server:
        raise RedisUrlRefused(
            "options after a ?", f"the URL without them; the database is the number at its end: {example}"
        )
    if "#" in server:
        raise RedisUrlRefused("a #", f"the URL without it, or %23 for each # in the password: {example}")


def _socket(user: str, password: str, server: str) -> RedisAddress:
    example = "unix:///run/redis/redis.sock?db=0"
    path, _, options = server.partition("?")
    if not path.startswith("/") or path == "/" or "#" in server or _NOT_PLAIN.search(server):
        raise RedisUrlRefused(
            "a socket path that is not absolute, or that contains a reserved character",
            f"the path after unix://, for example {example}",
        )
    name, _, text = options.partition("=")
    if options and (name != "db" or "&" in text):
        raise RedisUrlRefused("options other than db", f"no other option, for example {example}")
    database = _database(text, example) if options else 0
    return RedisAddress(UNIX, user, password, "", 0, _decoded(path), database)


def _database(text: str, example: str) -> int:
    if not _DATABASE.fullmatch(text):
        raise RedisUrlRefused(
            "a database that is not a single number", f"a single number as the database, for example {example}"
        )
    return int(text)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise RedisUrlRefused(
            "percent-encoded bytes that are not UTF-8", "the characters as percent-encoded UTF-8"
        ) from None
