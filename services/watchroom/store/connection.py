"""How every client of Redis finds its server: one reading of the URL, ours, instead of the library's lenient one."""

from __future__ import annotations

from typing import Any

from watchroom import redis_url as urls


def connection(redis_url: str) -> dict[str, Any]:
    """Arguments of `redis.Redis` and `redis.asyncio.Redis` for a URL.

    Raises:
        RedisUrlRefused: The URL does not name exactly one server and one database.
    """
    address = urls.parse(redis_url)
    who = {"username": address.user or None, "password": address.password or None, "db": address.database}
    if address.scheme == urls.UNIX:
        return {**who, "unix_socket_path": address.path}
    return {**who, "host": address.host.strip("[]"), "port": address.port, "ssl": address.scheme == "rediss"}
