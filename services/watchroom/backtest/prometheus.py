"""A real Prometheus over backfilled blocks. It scrapes nothing and answers queries about the past."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from watchroom.demo.server import LOOPBACK, LocalServer, free_port, get
from watchroom.errors import WorkFailed

QUERY_TIMEOUT_S = 130
MOST_POINTS = 10_900  # in one range query; Prometheus refuses more than 11,000
# So long that it never evaluates the rules: only their printed form is needed.
CONFIG = "global: {{evaluation_interval: 1000000s}}\nrule_files: {files}\n"


class Point(NamedTuple):
    """One series of an answer: its labels without the name, and its value at each moment at which it has one."""

    labels: Mapping[str, str]
    values: dict[int, float]  # moment in ms -> value


def program_path(program: str) -> str:
    """The path of a program of Prometheus.

    Raises:
        WorkFailed: It is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise WorkFailed(
            f"{program} is not on the PATH; the back-test needs a real Prometheus. Install the Debian package "
            "`prometheus` (2.42 or later), or run deploy/setup/servers.sh as root"
        )
    return path


class Prometheus(LocalServer):
    """One server; a context manager.

    Args:
        folder: Its own, with the blocks in `folder/data`.
        rule_files: Only read, never evaluated.
        lookback_ms: The age from which a sample is ignored. Below the step, so that a series that has ended is gone at
            the next step, as it would be after a scrape.
    """

    def __init__(self, folder: Path, rule_files: Sequence[Path] = (), lookback_ms: int = 300_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(files=json.dumps([str(path.resolve()) for path in rule_files])))
        port = free_port()
        self._url = f"http://{LOOPBACK}:{port}"
        command = [
            program_path("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={LOOPBACK}:{port}",
            f"--query.lookback-delta={lookback_ms}ms",
            "--log.level=warn",
        ]
        super().__init__("Prometheus", command, folder / "log", lambda: bool(get(LOOPBACK, port, "/-/ready")))

    def rule_groups(self) -> list[dict[str, Any]]:
        """The groups of the rule files, in their order."""
        groups: list[dict[str, Any]] = self._get("rules", {})["groups"]
        return groups

    def printed(self, expression: str) -> str:
        """An expression as Prometheus prints it."""
        return str(self._get("format_query", {"query": expression}))

    def at(self, expression: str, at_ms: int) -> list[Point]:
        """An instant query at a moment of the past."""
        answer = self._get("query", {"query": expression, "time": _s(at_ms)})
        return [Point(_labels(item), {at_ms: float(item["value"][1])}) for item in answer["result"]]

    def over(self, expression: str, first_ms: int, last_ms: int, step_ms: int) -> list[Point]:
        """The same at every step from the first to the last moment, both included."""
        points: dict[frozenset[tuple[str, str]], Point] = {}
        for begin_ms, end_ms in _cut(first_ms, last_ms, step_ms):
            params = {"query": expression, "start": _s(begin_ms), "end": _s(end_ms), "step": _s(step_ms)}
            for item in self._get("query_range", params)["result"]:
                point = points.setdefault(frozenset(item["metric"].items()), Point(_labels(item), {}))
                point.values.update({round(float(at) * 1000): float(text) for at, text in item["values"]})
        return list(points.values())

    def _get(self, what: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401  # any JSON
        url = f"{self._url}/api/v1/{what}?{urlencode(params)}"
        try:
            with urlopen(url, timeout=QUERY_TIMEOUT_S) as answer:  # noqa: S310  # our own server on loopback
                return json.load(answer)["data"]
        except HTTPError as error:
            detail = error.read().decode(errors="replace")
            raise WorkFailed(f"Prometheus refused {params.get('query', what)}: {detail}") from error
        except OSError as error:
            raise WorkFailed(f"Prometheus did not answer {params.get('query', what)} ({error})") from error


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name, text in item["metric"].items() if name != "__name__"}


def _cut(first_ms: int, last_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
    for begin_ms in range(first_ms, last_ms + 1, MOST_POINTS * step_ms):
        yield begin_ms, min(last_ms, begin_ms + (MOST_POINTS - 1) * step_ms)


def _s(at_ms: int) -> str:
    return f"{at_ms / 1000:.3f}"
