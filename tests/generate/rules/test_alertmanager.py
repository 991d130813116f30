"""Who is notified, and what mutes what: checked by amtool, and by a real Alertmanager with the shipped file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.generate.rules.tools import run, shipped, shipped_alerts
from tests.parts import ROOT, SET_UP, missing
from watchroom.catalogue.metrics import FOREIGN
from watchroom.demo.server import free_port

FILE = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
Labels = Mapping[str, str]


def test_amtool_accepts_the_file(tmp_path: Path) -> None:
    """It refuses a file whose route leads to an unknown receiver."""
    done = run("amtool", "check-config", FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "alertmanager.yml"
    wrong.write_text(FILE.read_text().replace("  - name: duty-manager-stoke", "  - name: nobody"))
    assert run("amtool", "check-config", wrong).returncode != 0


def route(receivers: str, **labels: str) -> int:
    """The exit code of amtool: 0 if exactly these receivers are notified."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    tested = run(
        "amtool", "config", "routes", "test", f"--config.file={FILE}", f"--verify.receivers={receivers}", *pairs
    )
    return tested.returncode


@pytest.mark.parametrize(
    ("receivers", "labels"),
    [
        ("watchdog", {"alertname": "Watchdog", "severity": "none"}),
        ("platform-on-call", {"alertname": "WorkerStuck", "severity": "page", "mutes": "all"}),
        ("duty-manager", {"severity": "page", "measure": "calls_waiting", "line": "999"}),
        ("duty-manager-stoke", {"severity": "page", "measure": "incidents_unresourced", "area": "stoke"}),
        ("duty-manager-county", {"severity": "page", "measure": "incidents_unresourced", "area": "county"}),
        *(
            ("duty-manager-county", {"severity": "page", "measure": "incidents_unresourced", "area": area})
            for area in shipped().areas.groups["county"]
        ),
        ("duty-manager", {"severity": "page", "measure": "incidents_unresourced", "area": "out_of_force"}),
        ("platform-on-call,platform-mail", {"alertname": "NotificationsFailing", "severity": "page"}),
        ("ticket-queue,platform-mail", {"alertname": "RecordsLost", "severity": "ticket"}),
        ("ticket-queue,performance-mail", {"severity": "ticket", "measure": "call_answer_time"}),
        ("platform-mail", {"severity": "urgent"}),
    ],
)
def test_an_alert_reaches_the_people_who_can_act(receivers: str, labels: dict[str, str]) -> None:
    """By severity, by area, and alerts on the platform separately from those of the control room."""
    assert route(receivers, **labels) == 0
    assert route("ticket-queue", **labels) != 0, "amtool would not notice"


def test_every_shipped_alert_has_a_route_of_its_severity() -> None:
    """The last route is for unknown severities only."""
    receivers_of = {"none": "watchdog", "page": "duty-manager", "ticket": "ticket-queue,performance-mail"}
    platform = {"none": "watchdog", "page": "platform-on-call", "ticket": "ticket-queue,platform-mail"}
    for rule in shipped_alerts():
        receivers = (receivers_of if "measure" in rule["labels"] else platform)[rule["labels"]["severity"]]
        if rule["alert"] == "NotificationsFailing":
            receivers = "platform-on-call,platform-mail"
        assert route(receivers, alertname=rule["alert"], **rule["labels"]) == 0, rule["alert"]


def test_failed_notifications_are_reported_at_any_hour_by_mail_and_by_webhook() -> None:
    """The alert may be lost in the very channel that it is about."""
    config = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    routes = [route for route in config["route"]["routes"] if 'alertname="NotificationsFailing"' in route["matchers"]]
    assert not any("mute_time_intervals" in route for route in routes)
    receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
    channels = {name for route in routes for name in receivers[route["receiver"]] if name.endswith("_configs")}
    assert channels == {"webhook_configs", "email_configs"}


def test_alertmanager_publishes_what_the_rules_read(silent_alertmanager: str) -> None:
    """With the expected name and label, from the start: a counter that appears with the first failure is late."""
    page = ask(silent_alertmanager, "/metrics").decode()
    for family in FOREIGN:
        for integration in ("email", "webhook"):
            assert re.search(rf'^{family.name}{{integration="{integration}".*}} 0$', page, re.MULTILINE)


def test_every_label_in_the_file_is_a_label_of_alerts() -> None:
    """Inhibition by a label that no alert has would mute everything, because two missing labels are equal."""
    carried = {"alertname", "force"}
    for measure, alert in shipped().alerts():
        carried |= {"severity", "stream", "measure", *alert.shown.where, *(label.name for label in measure.labels)}
    carried |= {name for rule in shipped_alerts() for name in rule["labels"]}
    carried |= {name for family in FOREIGN for name in family.labels}
    config = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    used = {name for rule in config["inhibit_rules"] for name in rule["equal"]} | set(config["route"]["group_by"])
    used |= set(re.findall(r"'(\w+)[!=]", FILE.read_text(encoding="utf-8")))
    assert used <= carried
    assert all("force" in rule["equal"] for rule in config["inhibit_rules"])


def test_a_page_mutes_a_ticket_on_the_same_figure_only() -> None:
    """Every label that distinguishes alerts must be equal."""
    config = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    apart = {name for _, alert in shipped().alerts() for name in (*alert.shown.where, alert.shown.split) if name}
    assert {"force", "measure", *apart} <= set(config["inhibit_rules"][-1]["equal"])


def sent(name: str, force: str = "here", **more: str) -> Labels:
    """A shipped alert as Prometheus sends it; `more` is what its expression adds."""
    (rule,) = [rule for rule in shipped_alerts() if rule["alert"] == name]
    return {"alertname": name, "force": force, **rule["labels"], **more}


WAIT = "LongestWait999"
SURGE = {"severity": "page", "stream": "calls", "measure": "call_volume", "alertname": "Surge", "force": "here"}


@pytest.fixture(scope="module")
def silent_alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Alertmanager with the shipped routes and inhibition, whose receivers do nothing."""
    with running(tmp_path_factory.mktemp("alertmanager"), FILE.read_text(encoding="utf-8")) as address:
        yield address


@contextmanager
def running(folder: Path, text: str) -> Iterator[str]:
    """Alertmanager on a free port with this configuration, without its receivers."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        missing(f"no prometheus-alertmanager; {SET_UP}")
    config = yaml.safe_load(text)
    config["receivers"] = [{"name": receiver["name"]} for receiver in config["receivers"]]
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    options = [f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=error"]
    files = [f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}"]
    server = subprocess.Popen([program, *options, *files])
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                ask(address, "/-/ready")
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def ask(address: str, path: str, body: object = None) -> bytes:
    """GET, or POST if there is a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{address}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: bytes = answer.read()
        return found


def muted(address: str, *alerts: Labels) -> list[str]:
    """Which of these alerts Alertmanager mutes while all of them fire, as `name@force`; then all of them end."""
    now = time.time()
    starts, later, over = (stamp(now + more_s) for more_s in (-60, 600, -1))
    ask(address, "/api/v2/alerts", [{"labels": dict(a), "startsAt": starts, "endsAt": later} for a in alerts])
    try:
        return settled(address, len(alerts))
    finally:
        ask(address, "/api/v2/alerts", [{"labels": dict(a), "startsAt": starts, "endsAt": over} for a in alerts])


def stamp(at_s: float) -> str:
    """A time in the format that Alertmanager reads."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def settled(address: str, count: int) -> list[str]:
    """What is muted, once all alerts are listed and five readings in a row agree: muting follows a moment later."""
    readings: list[list[str]] = []
    until = time.monotonic() + 10
    while time.monotonic() < until and (len(readings) < 5 or any(each != readings[-1] for each in readings[-5:])):
        found: list[dict[str, Any]] = json.loads(ask(address, "/api/v2/alerts"))
        if len(found) == count:
            names = (
                f"{a['labels']['alertname']}@{a['labels'].get('force')}" for a in found if a["status"]["inhibitedBy"]
            )
            readings.append(sorted(names))
        time.sleep(0.04)
    return readings[-1]


@pytest.mark.parametrize("name", ["ExporterAbsent", "RedisDown", "WorkerStuck"])
def test_a_failed_platform_mutes_everything_that_depends_on_it(silent_alertmanager: str, name: str) -> None:
    """Figures, silent sources, lag and withheld figures are consequences; those of another force are not."""
    consequences = [
        sent(WAIT),
        sent("SourceSilent", stream="calls", source="acd"),
        sent("AppliedLag", stream="calls", topic="watchroom.calls"),
        sent("WindowsStale", stream="crimes"),
    ]
    found = muted(silent_alertmanager, sent(name), *consequences, sent(WAIT, "there"))
    assert found == ["AppliedLag@here", "LongestWait999@here", "SourceSilent@here", "WindowsStale@here"]


def test_a_cause_mutes_its_consequences(silent_alertmanager: str) -> None:
    """One alert for one failure."""
    names = ("ExporterAbsent", "RedisDown", "WorkerStuck")
    assert muted(silent_alertmanager, *map(sent, names)) == ["RedisDown@here", "WorkerStuck@here"]
    assert muted(silent_alertmanager, *map(sent, names[1:])) == ["WorkerStuck@here"]


def test_a_dead_feed_mutes_its_stream_of_its_force(silent_alertmanager: str) -> None:
    """Incidents still count, and so do the calls of another force."""
    others = [sent("Grade1Overdue", area="stoke"), sent(WAIT, "there"), sent("RecordsLost")]
    source = sent("SourceSilent", stream="calls", source="acd")
    found = muted(silent_alertmanager, source, sent("WindowsStale", stream="calls"), sent(WAIT), *others)
    assert found == ["LongestWait999@here", "WindowsStale@here"]


def test_an_alert_on_a_source_of_unknown_state_is_muted(silent_alertmanager: str) -> None:
    """A partition that does not move holds back heartbeats; sources of other streams are not affected."""
    sources = [sent("SourceSilent", stream=stream, source="acd") for stream in ("calls", "incidents")]
    lag = sent("AppliedLag", stream="calls", topic="watchroom.calls")
    assert muted(silent_alertmanager, lag, sources[0]) == ["SourceSilent@here"]
    assert muted(silent_alertmanager, lag, sources[1]) == []


def test_withheld_figures_mute_their_stream_without_a_known_cause(silent_alertmanager: str) -> None:
    """Those alerts are about figures that are not shown."""
    withheld = sent("WindowsStale", stream="calls")
    found = muted(silent_alertmanager, withheld, sent(WAIT), sent("Grade1Overdue", area="stoke"))
    assert found == ["LongestWait999@here"]


def test_a_page_mutes_the_ticket_on_the_same_figure(silent_alertmanager: str) -> None:
    """Alerts on another force, line or figure are still sent."""
    page = {**SURGE, "line": "999"}
    ticket = {**page, "severity": "ticket", "alertname": "Same"}
    others = [
        {**ticket, "alertname": "OtherLine", "line": "101"},
        {**ticket, "alertname": "OtherFigure", "measure": "calls_waiting"},
        {**ticket, "alertname": "OtherForce", "force": "there"},
        {**ticket, "alertname": "OtherArea", "area": "stoke"},
        sent("RecordsLost", stream="calls"),
    ]
    assert muted(silent_alertmanager, page, ticket, *others) == ["Same@here"]


def test_without_equal_labels_one_force_would_mute_another(tmp_path: Path) -> None:
    """The test above would notice."""
    with running(tmp_path, FILE.read_text(encoding="utf-8").replace("equal: [force", "equal: [mutes")) as address:
        found = muted(address, sent("ExporterAbsent"), {**SURGE, "force": "there", "mutes": "all"})
    assert found == ["Surge@there"]
