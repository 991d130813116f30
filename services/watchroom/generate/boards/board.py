"""From finished panels to a dashboard: the grid, variables, annotations and what all boards share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlencode

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from watchroom.catalogue.model import Catalogue
from watchroom.generate.boards.panels import SOURCE, Link, SizedPanel, panel_id
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.streams import BOARDS as OF_STREAMS

COLUMNS: Final = 24
REFRESH: Final = "10s"
NAMES: Final = ("live", *OF_STREAMS, "month", "platform")
ROW_HEIGHT: Final = 1
MOST_OPEN_ROWS: Final = 84  # of 38 px: three screens of 1,080 px; what does not fit is behind a heading
AGE_HEIGHT: Final = 4
LINE: Final = 200  # characters
DEFAULTS: Final[tuple[tuple[str, object], ...]] = (  # Grafana's own, but for `placement`: it hides links in a menu
    ("placement", "inControlsMenu"),
    ("align", "auto"),
    ("asDropdown", False),
    ("cellHeight", "sm"),
    ("filterable", False),
    ("footer", {"countRows": False, "reducer": [], "show": False}),
    ("frameIndex", 0),
    ("icon", ""),
    ("includeVars", False),
    ("inspect", False),
    ("instant", False),
    ("keepTime", False),
    ("links", []),
    ("tags", []),
    ("tooltip", ""),
    ("range", False),
    ("repeatDirection", "h"),
    ("showHeader", True),
    ("showTypeIcons", False),
    ("targetBlank", False),
    ("transparent", False),
)
FIRING: Final = 'ALERTS{alertstate="firing",severity!="none",force=~"$force"}'


@dataclass(frozen=True, slots=True)
class Sources:
    """What boards are made from."""

    catalogue: Catalogue
    exporter: str  # address of the exporter's pages
    zone: str  # reporting zone
    force: str  # the force that a board opens with


class Section(NamedTuple):
    """Panels under one heading; without a title no heading."""

    title: str
    panels: Sequence[SizedPanel]
    is_closed: bool = False  # opened by a click on its heading


Make = Callable[[Sources], Sequence[Section]]


class Board(NamedTuple):
    """One dashboard before it is laid out."""

    name: str  # of NAMES; the uid is watchroom-<name>
    title: str
    about: str
    since: str  # how far the trends go back
    make: Make


LINK_TYPE: Final = ("type", "link")  # of a board's link; a panel's has no type


def uid(name: str) -> str:
    """The fixed uid, which links and alerts name."""
    return f"watchroom-{name}"


def link_to(name: str) -> Link:
    """Drill-down to another board with the same force."""
    return Link(f"{name.capitalize()} board", f"/d/{uid(name)}?${{force:queryparam}}&${{datasource:queryparam}}")


def links(sources: Sources, measure: Measure, to: str) -> tuple[Link, ...]:
    """Drill-down, the list behind an open measure, its definition, and its alerts' runbooks (or all runbooks)."""
    found = [link_to(to)]
    if kind_of(measure).reads is Reads.OPEN_SET:
        found.append(open_list(sources, measure))
    found.append(Link("Definition", f"{sources.exporter}/measures/{measure.id}"))
    runbooks = [Link(f"Runbook {alert.name}", runbook(sources, alert.name)) for alert in measure.display.alerts]
    return (*found, *(runbooks or [all_runbooks(sources)]))


def all_runbooks(sources: Sources) -> Link:
    """The list of every alert's runbook."""
    return Link("Runbooks", f"{sources.exporter}/runbook")


def open_list(sources: Sources, measure: Measure, where: Mapping[str, str] = MappingProxyType({})) -> Link:
    """The ids behind an open measure, or only those with certain label values."""
    query = f"?{urlencode(where)}" if where else ""
    return Link("List of what is open now", f"{sources.exporter}/open/{measure.id}{query}")


def runbook(sources: Sources, alert: str) -> str:
    """Address of an alert's runbook."""
    return f"{sources.exporter}/runbook/{alert}"


def text(board: Board, sources: Sources) -> str:
    """The dashboard as classic JSON, the same for the same sources."""
    made = _frame(board, sources)
    made.panels = list(_laid_out(board, board.make(sources)))
    plain = json.loads(json.dumps(made, cls=JSONEncoder))
    plain["panels"] = [_without(panel, (*DEFAULTS, LINK_TYPE)) for panel in plain["panels"]]
    return _json(_without(plain, DEFAULTS)) + "\n"


def _json(found: object, indent: str = "") -> str:
    """As JSON with sorted keys. A short value, or one without nested lists (such as a query), is on one line."""
    short, inner = json.dumps(found, sort_keys=True, ensure_ascii=False), indent + " "
    if isinstance(found, dict):
        inside = list(found.values())
        parts = [f"{json.dumps(key)}: {_json(value, inner)}" for key, value in sorted(found.items())]
    else:
        inside = found if isinstance(found, list) else []
        parts = [_json(value, inner) for value in inside]
    if len(short) <= LINE or not any(isinstance(each, dict | list) for each in inside):
        return short
    return f"{short[0]}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{short[-1]}"


def _without(found: object, pairs: Sequence[tuple[str, object]]) -> object:
    """Without what the builders add but nothing needs."""
    if isinstance(found, dict):
        return {key: _without(value, pairs) for key, value in found.items() if (key, value) not in pairs}
    return [_without(value, pairs) for value in found] if isinstance(found, list) else found


def _laid_out(board: Board, sections: Sequence[Section]) -> list[model.Panel | model.RowPanel]:
    """Places panels left to right, then down; a new section starts a new line."""
    found: list[model.Panel | model.RowPanel] = []
    y = 0
    for section in sections:
        if section.title:
            at = model.GridPos(x=0, y=y, w=COLUMNS, h=ROW_HEIGHT)
            key = panel_id(f"{board.name}/row/{section.title}")
            row = model.RowPanel(title=section.title, grid_pos=at, id_val=key, collapsed=section.is_closed)
            found.append(row)
            y += ROW_HEIGHT
            if section.is_closed:
                row.panels = _lines(section.panels, y)[0]
                continue
        panels, y = _lines(section.panels, y)
        found += panels
    return found


def _lines(panels: Sequence[SizedPanel], y: int) -> tuple[list[model.Panel], int]:
    """Panels in lines from `y` on, and where the next line would begin."""
    found: list[model.Panel] = []
    x = tallest = 0
    for panel, width, height in panels:
        if x + width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        panel.grid_pos = model.GridPos(x=x, y=y, w=width, h=height)
        found.append(panel)
        x, tallest = x + width, max(tallest, height)
    return found, y + tallest


def _frame(board: Board, sources: Sources) -> model.Dashboard:
    made = build.Dashboard(f"Watchroom: {board.title}").uid(uid(board.name)).description(board.about)
    made.tags(["watchroom", "derived, do not edit"]).readonly().timezone(sources.zone).refresh(REFRESH)
    made.time(f"now-{board.since}", "now").tooltip(model.DashboardCursorSync.CROSSHAIR).week_start("monday")
    made.variables([_datasource(), _force(sources)]).links([_board_link(name) for name in NAMES if name != board.name])
    return made.annotations([_alerts()]).build()


def _datasource() -> build.DatasourceVariable:
    made = build.DatasourceVariable("datasource").label("Data source").type("prometheus").multi(False)
    return made.current(model.VariableOption(text="Prometheus", value="prometheus", selected=True))


def _force(sources: Sources) -> build.QueryVariable:
    query = "label_values(watchroom_redis_up, force)"  # published while measures are withheld, too
    made = build.QueryVariable("force").label("Force").query(query).definition(query).datasource(SOURCE).multi(False)
    made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    return made.current(model.VariableOption(text=sources.force, value=sources.force, selected=True))


def _board_link(name: str) -> build.DashboardLink:
    title, url = link_to(name)
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url)


def _alerts() -> build.AnnotationQuery:
    made = build.AnnotationQuery().name("Alerts").enable(True).icon_color("#D55E00").datasource(SOURCE)
    return made.target(prometheus.Dataquery().expr(FIRING).ref_id("Anno")).expr(FIRING).title_format("{{alertname}}")
