"""Who reaches whom in docker-compose.yml: service names and ports, compared with the configurations that use them."""

from __future__ import annotations

import re
import tomllib
from urllib.parse import urlsplit

import yaml

from tests.deploy.compose import OWN_PAGES, Compose, Service, environment, mounts, own_command, services, settings_of

EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside a container, whose ports nobody sees unless they are published


def listens(compose: Compose) -> dict[str, set[int]]:
    """The ports on which other services can reach each service."""
    return {name: set(_ports(name, service)) for name, service in services(compose).items()}


def _ports(name: str, service: Service) -> list[int]:
    words = " ".join(str(word) for word in service.get("command", []))
    ports = re.findall(rf"--web\.listen-address={re.escape(EVERYWHERE)}:([0-9]+)", words)
    ports += re.findall(rf"://{name}:([0-9]+)", environment(service).get("KAFKA_ADVERTISED_LISTENERS", ""))
    if f"--bind {EVERYWHERE}" in words:
        ports.append("6379")
    if str(service.get("image", "")).startswith("grafana/grafana:"):
        ports.append("3000")
    if (own := OWN_PAGES.get(own_command(service) or "")) is not None:
        settings = settings_of(service)
        if getattr(settings, f"{own[0]}_host") == EVERYWHERE:
            ports.append(str(getattr(settings, f"{own[0]}_port")))
    return [int(port) for port in ports]


def address_faults(compose: Compose, where: str, addresses: list[str]) -> list[str]:
    """Each `host:port` is a service and a port on which it can be reached."""
    reached = listens(compose)
    faults = []
    for address in addresses:
        host, _, port = address.partition(":")
        if host not in reached:
            faults.append(f"{where}: {address}: there is no service {host}")
        elif int(port or 0) not in reached[host]:
            faults.append(f"{where}: {address}: {host} is reached on {sorted(reached[host])}")
    return faults


def inner_faults(compose: Compose) -> list[str]:
    """Our processes find Kafka and Redis."""
    faults = []
    for name, service in services(compose).items():
        if own_command(service):
            settings = settings_of(service)
            redis = urlsplit(settings.redis_url).netloc
            faults += address_faults(compose, name, [*settings.kafka.split(","), redis])
    return faults


def prometheus_faults(compose: Compose, configuration: str) -> list[str]:
    """Prometheus scrapes our processes under their own force, and reaches and scrapes Alertmanager."""
    read = yaml.safe_load(configuration)
    managers = [t for m in read["alerting"]["alertmanagers"] for group in m["static_configs"] for t in group["targets"]]
    faults = address_faults(compose, "prometheus.yml", managers)
    faults += [] if managers else ["prometheus.yml: no Alertmanager"]
    scraped: set[str] = set()
    for job in read["scrape_configs"]:
        for group in job["static_configs"]:
            wrong = address_faults(compose, "prometheus.yml", group["targets"])
            faults += wrong
            for target in [] if wrong else group["targets"]:
                service = target.partition(":")[0]
                scraped.add(service)
                force = settings_of(services(compose)[service]).force
                if (label := group["labels"]["force"]) != force:
                    faults.append(f"prometheus.yml: {target} has the label force={label}, the process {force}")
    commands = {name: own_command(service) for name, service in services(compose).items()}
    wanted = {name for name, command in commands.items() if command in {"worker", "exporter"}}
    wanted |= {address.partition(":")[0] for address in managers}
    return faults + [f"prometheus.yml: {name} is not scraped" for name in sorted(wanted - scraped)]


def alertmanager_faults(compose: Compose, configuration: str) -> list[str]:
    """The Watchdog's receiver is our watchdog; every other service that is named exists."""
    read = yaml.safe_load(configuration)
    hooks = {
        receiver["name"]: [urlsplit(hook["url"]) for hook in receiver.get("webhook_configs", [])]
        for receiver in read["receivers"]
    }
    named = [url.netloc for urls in hooks.values() for url in urls if "." not in str(url.hostname)]
    faults = address_faults(compose, "alertmanager.yml", named)
    routes = [route for route in read["route"]["routes"] if route.get("matchers") == ['alertname="Watchdog"']]
    urls = [url for route in routes for url in hooks[route["receiver"]]]
    if [(url.path, str(url.hostname)) for url in urls] != [("/watchdog", "watchdog")]:
        faults.append("alertmanager.yml: the Watchdog is not sent to http://watchdog:<port>/watchdog")
    return faults


def grafana_faults(compose: Compose, sources: str, providers: str) -> list[str]:
    """The data sources are services, and Grafana sees the boards' folder."""
    given = environment(services(compose)["grafana"])
    urls = [source["url"] for source in yaml.safe_load(sources)["datasources"]]
    faults = address_faults(compose, "data sources", [urlsplit(url).netloc for url in urls])
    seen = {target for _, target, _ in mounts(services(compose)["grafana"])}
    for provider in yaml.safe_load(providers)["providers"]:
        if (path := provider["options"]["path"]) not in seen:
            faults.append(f"boards: nothing is mounted at {path}")
    home = given.get("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", "")
    if home.rpartition("/")[0] not in seen:
        faults.append(f"boards: the first page {home} is not mounted")
    return faults


def link_faults(compose: Compose, links: str) -> list[str]:
    """Addresses to which alerts and boards send people are published."""
    published = {
        str(port).rpartition(":")[0] for service in services(compose).values() for port in service.get("ports", [])
    }
    return [
        f"links.toml: {name}: nothing is published on {url}"
        for name, url in tomllib.loads(links).items()
        if urlsplit(url).netloc not in published
    ]
