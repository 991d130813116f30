"""Redis URLs: one server and one database, or refused with what to write; a password is never shown."""

from __future__ import annotations

import io
import logging
import sys
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from redis.connection import parse_url

from watchroom.cli import main
from watchroom.errors import ConfigurationInvalid
from watchroom.intake.health import servers_of
from watchroom.redis_url import RedisUrlRefused, parse, shown
from watchroom.settings import Settings, read_settings
from watchroom.store.connection import client

HOSTS = st.sampled_from(["cache", "127.0.0.1", "redis.force.example", "[::1]"])
SEVERAL = HOSTS | st.sampled_from(["cache:1,cache:2", "cache,[::1]:3", "cache:1,"])
PASSWORDS = st.text(
    st.sampled_from("abcXYZ019/?#@%:[]\\ \t\n&=+-._~!é漢") | st.characters(codec="utf-8"), min_size=6, max_size=20
)
REFUSED = {
    "redis://HOST:6379/one": "a single number as the database",
    "redis://HOST:6379/0/1": "a single number as the database",
    "redis://HOST:6379/-1": "a single number as the database",
    "redis://HOST:6379/1.0": "a single number as the database",
    "redis://HOST:6379/%31": "a single number as the database",
    "redis://HOST:6379/١": "a single number as the database",
    "redis://HOST:6379//1": "a single number as the database",
    "unix:///run/redis.sock?db=one": "a single number as the database",
    "unix:///run/redis.sock?db=": "a single number as the database",
    "unix:///run/redis.sock?db=1&db=2": "no other option",
    "unix:///run/redis.sock?timeout=1": "no other option",
    "unix://run/redis.sock": "the path after unix://",
    "unix://": "the path after unix://",
    "redis://HOST:6379?db=1": "the URL without them",
    "redis://HOST:6379/0?socket_timeout=5": "the URL without them",
    "rediss://HOST:6379/0?ssl_cert_reqs=none": "the URL without them",
    "redis://HOST:6379/0?": "the URL without them",
    "redis://HOST:6379/0#1": "the URL without it",
    "redis://:s3cr/et@HOST:6379/0": "/ as %2F",
    "redis://:57Wc#903z@HOST:6379": "# as %23",
    "redis://wr:pw?1@HOST:6379": "? as %3F",
    "redis://wr:pw%1@HOST:6379": "%25 for each %",
    "redis://wr:100%@HOST:6379": "%25 for each %",
    "redis://wr:%ff%fe@HOST:6379": "percent-encoded UTF-8",
    "redis://wr:p w@HOST:6379": "a space as %20",
    "redis://wr:p\tw@HOST:6379": "a space as %20",
    "redis://wr:p[w@HOST:6379": "[ as %5B",
    "redis://": "host and port",
    "redis:///0": "host and port",
    "redis://:6379/0": "host and port",
    "redis://HOST:0/0": "host and port",
    "redis://HOST:65536/0": "host and port",
    "redis://HOST:/0": "host and port",
    "redis://HO ST:6379/0": "host and port",
    "redis://HOST\n:6379/0": "host and port",
    "redis://HOST:1,HOST:2/0": "one host and port",
    "redis+sentinel://": "host and port of each sentinel",
    "redis+sentinel:///main": "host and port of each sentinel",
    "redis+sentinel://HOST:1,/main": "host and port of each sentinel",
    "redis+sentinel://HOST:1,HOST:65536/main": "host and port of each sentinel",
    "redis+sentinel://HOST:1, HOST:2/main": "host and port of each sentinel",
    "redis+sentinel://HOST:1,HOST:2": "the name that the sentinels give",
    "redis+sentinel://HOST:1,HOST:2/": "the name that the sentinels give",
    "redis+sentinel://HOST:1//0": "the name that the sentinels give",
    "redis+sentinel://HOST:1/ma%69n": "the name that the sentinels give",
    "redis+sentinel://HOST:1/main/one": "a single number as the database",
    "redis+sentinel://HOST:1/main/0/1": "a single number as the database",
    "redis+sentinel://HOST:1/main/%31": "a single number as the database",
    "redis+sentinel://HOST:1/main?db=1": "the URL without them",
    "rediss+sentinel://HOST:1/main/0?ssl_cert_reqs=none": "the URL without them",
    "redis+sentinel://HOST:1/main/0#1": "the URL without it",
    "redis+sentinel://:s3cr/et@HOST:1/main": "/ as %2F",
    "redis+sentinel://HOST:1,:pw@HOST:2/pw@x/0": "/ as %2F",
    "redis+sentinels://HOST:1/main": "a URL such as redis://",
    "unix+sentinel://HOST:1/main": "a URL such as redis://",
    "http://HOST:6379": "a URL such as redis://",
    "HOST:6379": "a URL such as redis://",
    "redis:/HOST": "a URL such as redis://",
    "": "a URL such as redis://",
}


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_does_not_name_one_server_and_one_database_is_refused(url: str) -> None:
    """A lenient parser would use database 0, which belongs to another installation."""
    with pytest.raises(RedisUrlRefused, match=r".") as refused:
        parse(url)
    assert REFUSED[url] in str(refused.value)
    with pytest.raises(ConfigurationInvalid) as told:
        read_settings(redis_url=url)
    (fault,) = told.value.faults
    assert (fault.where, fault.found) == ("WATCHROOM_REDIS_URL", refused.value.found)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", ("redis", "", "", "cache", 6379, "", 0)),
        ("redis://cache/", ("redis", "", "", "cache", 6379, "", 0)),
        ("REDISS://cache:1/12", ("rediss", "", "", "cache", 1, "", 12)),
        ("redis://:p%40ss@[::1]:6380/3", ("redis", "", "p@ss", "::1", 6380, "", 3)),
        ("redis://wr:a:b@c@cache", ("redis", "wr", "a:b@c", "cache", 6379, "", 0)),
        ("redis://wr@cache", ("redis", "wr", "", "cache", 6379, "", 0)),
        ("redis://@cache", ("redis", "", "", "cache", 6379, "", 0)),
        ("unix:///run/a%20b.sock", ("unix", "", "", "", 0, "/run/a b.sock", 0)),
        ("unix://wr:p%2Fw@/run/redis.sock?db=4", ("unix", "wr", "p/w", "", 0, "/run/redis.sock", 4)),
    ],
)
def test_a_url_that_names_both_is_read_exactly(url: str, address: tuple[object, ...]) -> None:
    """The only defaults are port 6379 and database 0."""
    assert parse(url) == (*address, (), "")
    assert read_settings(redis_url=url).redis_url == url


@pytest.mark.parametrize(
    ("url", "user", "password", "sentinels", "service", "database"),
    [
        ("redis+sentinel://a/main", "", "", ["a:26379"], "main", 0),
        ("REDIS+Sentinel://a/main/", "", "", ["a:26379"], "main", 0),
        ("rediss+sentinel://a:1,[::1]:2,c/My_main-1.x/7", "", "", ["a:1", "[::1]:2", "c:26379"], "My_main-1.x", 7),
        ("redis+sentinel://wr:p%40%2Fw@a:1,b:2/main/3", "wr", "p@/w", ["a:1", "b:2"], "main", 3),
    ],
)
def test_a_url_of_sentinels_is_read_exactly(  # noqa: PLR0917 - a row of a table
    url: str, user: str, password: str, sentinels: list[str], service: str, database: int
) -> None:
    """User and password are those of Redis. Those of the sentinels are settings, because a URL cannot hold both."""
    address = parse(url)
    assert (address.user, address.password, address.service, address.database) == (user, password, service, database)
    assert list(map(str, address.sentinels)) == sentinels
    assert address.has_tls == url.lower().startswith("rediss")
    settings = read_settings(
        redis_url=url, redis_sentinel_user="s", redis_sentinel_password="t", redis_read_from="replica"
    )
    assert settings.redis == (url, "", "", "", "s", "t", "primary"), "whoever writes goes to the primary"
    assert settings.redis_to_show.read_from == "replica"
    assert address.shown == f"{address.scheme}://{','.join(sentinels)}/{service}/{database}"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("redis_sentinel_user", "s"), ("redis_sentinel_password", "hunter2"), ("redis_read_from", "replica")],
)
def test_settings_of_sentinels_without_sentinels_are_refused(setting: str, value: str) -> None:
    """Somebody would believe that they are used."""
    with pytest.raises(ConfigurationInvalid, match=r"redis\+sentinel:// in WATCHROOM_REDIS_URL") as refused:
        read_settings(redis_url="redis://h", **{setting: value})
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigurationInvalid, match="the password of WATCHROOM_REDIS_SENTINEL_USER"):
        read_settings(redis_url="redis+sentinel://h/main", redis_sentinel_user="s")


@given(PASSWORDS, st.sampled_from(["", "wr", "wätch/room"]), HOSTS, st.integers(1, 65535), st.integers(0, 99))
def test_an_encoded_password_arrives_as_the_library_reads_it(
    password: str, user: str, host: str, port: int, database: int
) -> None:
    """redis-py's own reading of the URLs that we accept is the oracle."""
    url = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}/{database}"
    theirs = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py is untyped here
    ours = client(url).connection_pool.connection_kwargs
    assert ours["password"] == theirs["password"] == password
    assert ours["username"] == theirs.get("username") == (user or None)
    assert (ours["host"], ours["port"], ours["db"]) == (theirs["host"], theirs["port"], theirs["db"])


@given(
    PASSWORDS, st.sampled_from(["", "wr", "wätch/room"]), st.lists(HOSTS, min_size=1, max_size=4), st.integers(0, 99)
)
def test_an_encoded_password_before_sentinels_arrives(
    password: str, user: str, hosts: list[str], database: int
) -> None:
    """It is the password of Redis and is written once, before all the sentinels."""
    servers = ",".join(f"{host}:{number + 1}" for number, host in enumerate(hosts))
    address = parse(f"rediss+sentinel://{quote(user, safe='')}:{quote(password, safe='')}@{servers}/main/{database}")
    assert (address.user, address.password, address.database) == (user, password, database)
    assert ",".join(map(str, address.sentinels)) == servers


def everything_said(url: str) -> str:
    """All that we print about a URL: the fault or the settings, errors, server names and options."""
    said = [shown(url)]
    try:
        settings = Settings(redis_url=url)
    except ValueError as error:
        said += [str(error), repr(error)]
    else:
        said += [repr(settings), str(settings), settings.redis_shown, *servers_of(settings).values()]
        said += [repr(settings.redis), str(settings.redis), repr(settings.redis_to_show), f"{settings.redis}"]
    try:
        read_settings(redis_url=url)
    except ConfigurationInvalid as error:
        said += [str(error), repr(error), repr(error.__cause__)]
    return "\n".join(said)


def forms(password: str) -> set[str]:
    """The password in every printable form, and its longer parts: a URL that is cut at a `/` shows half of it."""
    cut = {password}
    for mark in "/?#@%:[]\\ \t\n&=":
        cut = {part for text in cut for part in text.split(mark)} | cut
    whole = cut | {quote(password), quote(password, safe=""), unquote(password), repr(password)[1:-1]}
    return {form for form in whole if len(form) >= 5}


@given(
    PASSWORDS,
    st.sampled_from(
        [
            "redis",
            "rediss",
            "unix",
            "http",
            "",
            "redis:/",
            "REDIS",
            "redis+sentinel",
            "rediss+sentinel",
            "REDIS+sentinel",
        ]
    ),
    st.sampled_from(["", "wr", "w/r"]),
    SEVERAL,
    st.sampled_from(["", ":6379", ":0", ":many"]),
    st.sampled_from(["", "/", "/0", "/one", "/0?x=1", "/0#1", "?db=1", "/main", "/main/0", "/main/one", "/main/0?x=1"]),
    st.booleans(),
)
@example("s3cr/et-part", "redis", "", "cache", ":6379", "/0", False)
@example("57Wc9#903z9", "redis", "", "cache", ":6379", "", False)
@example("s3cr/et-part", "redis+sentinel", "", "cache:1,cache:2", "", "/main/0", False)
@example("57Wc9#903z9", "rediss+sentinel", "wr", "cache", ":26379", "/main", True)
@example("passw?1word", "redis", "wr", "cache", ":6379", "", False)
def test_no_form_of_a_password_is_ever_shown(  # noqa: PLR0917 - hypothesis gives them
    password: str, scheme: str, user: str, host: str, port: str, end: str, is_encoded: bool
) -> None:
    """Whatever else is wrong with the URL: messages end up in tickets and logs."""
    written = quote(password, safe="") if is_encoded else password
    url = f"{scheme}://{user}:{written}@{host}{port}{end}"
    said = everything_said(url)
    own_words = everything_said(url.replace(written, "\x01"))
    secret = {form for form in forms(password) if form not in own_words}
    assume(secret)
    assert not [form for form in secret if form in said]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:hunter2@cache:6379/0", "--redis: found a password"),
        ("rediss://wr:hunter2@cache:6379/0", "WATCHROOM_REDIS_URL"),
        ("redis://:hun/ter2@cache", "--redis: found an @ after the first /"),
        ("redis://cache:6379/one", "--redis: found a database that is not a single number"),
    ],
)
@pytest.mark.parametrize("command", [["months"], ["rebuild"], ["open", "--measure", "calls_waiting"]])
def test_an_option_with_a_password_or_without_a_database_exits_with_2(
    url: str, told: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every user of the machine sees the arguments of its processes."""
    monkeypatch.setattr(sys, "argv", ["watchroom", *command, "--redis", url])
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        logging.getLogger().removeHandler(handler)
    out, said = capsys.readouterr()
    assert ended.value.code == 2
    assert told in said
    assert len(said.splitlines()) == 1
    assert "hun" not in (out + said + logged.getvalue()).replace("hundred", "")
