"""One tile of the wall as markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchroom.catalogue.formatting import NO_DATA, NONE, NOT_FED, State, exact_text, pieces, plain
from watchroom.exporter.board.markup import Html, join, tag
from watchroom.exporter.numbers import Number
from watchroom.exporter.wall import DataAge, TileNumber, TileView, has_list
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import value_title

LONG = 3  # characters; more than that in one of several numbers needs smaller ones


def tile(view: TileView) -> Html:
    """A tile of the catalogue."""
    name = f"{view.measure.id}-{view.tile.place}"
    leads_to = " (list)" if has_list(view.measure) else " (definition)"
    link = tag("a", view.tile.title, tag("span", leads_to, class_="quiet-text"), href=view.href, id=f"link-{name}")
    return frame(f"tile-{name}", link, view.state, _state_text(view), _figures(view))


def age_tile(age: DataAge) -> Html:
    """The first tile: how old everything else is, or what is worse than that. The Live board uses the same words."""
    about = tag("span", " (state of the feeds)", class_="quiet-text")
    figure = nodata(age.why)
    if age.age_ms is not None:
        number = tag("p", *big(max(0, age.age_ms) / 1000, Unit.SECONDS), class_="figure")
        figure = tag("div", number, tag("p", age.why, class_="beside"), class_="cell")
    return frame(
        "tile-data-age",
        tag("a", "Data age", about, href="/healthz", id="link-data-age"),
        age.state,
        tag("p", age.word, class_="word") if age.state != "nodata" else Html(""),
        tag("div", figure, class_="figures one", data_figures=""),
    )


def frame(name: str, link: Html, state: State, word: Html, figures: Html) -> Html:
    """A tile around its figures."""
    return tag("li", tag("h3", link), figures, word, id=name, class_="tile", data_state=state, data_tile="")


def _state_text(view: TileView) -> Html:
    """The tile's state; if it has several numbers, each that is beyond its limits has its own."""
    word = view.state_text(view.numbers[0]) if len(view.numbers) == 1 else ""
    return tag("p", word, class_="word") if word else Html("")


def _figures(view: TileView) -> Html:
    if view.state == "unfed":
        inside = [
            tag(
                "div",
                tag("p", NOT_FED, class_="figure"),
                tag("p", " or ".join(view.measure.streams), class_="beside"),
                class_="cell",
            )
        ]
    elif view.faults:
        reason = view.faults[0] + (f" (and {len(view.faults) - 1} more)" if len(view.faults) > 1 else "")
        inside = [nodata(reason)]
    else:
        inside = [_number(view, each) for each in view.numbers] or [nodata("no target is set")]
    return tag("div", *inside, class_=" ".join(["figures", *_size(view)]), data_figures="")


def _size(view: TileView) -> Iterator[str]:
    """How large its numbers can be: large if there are few, small if they are long."""
    yield {1: "one", 2: "two", 3: "three"}.get(len(view.numbers), "four") if not view.faults else "one"
    values = [each.number.value for each in view.numbers if each.number and each.number.value is not None]
    if len(view.numbers) > 1 and max((len(plain(value, view.unit)) for value in values), default=0) > LONG:
        yield "long"


def nodata(reason: str) -> Html:
    """What is shown instead of a number, and why."""
    return tag("div", tag("p", NO_DATA, class_="figure"), tag("p", reason, class_="beside"), class_="cell")


def _number(view: TileView, shown: TileNumber) -> Html:
    number = shown.number
    value = number.value if number else None
    quiet = value == 0 and shown.state == "normal"
    parts = [
        tag("p", *big(value, view.unit, tenths=view.quantity.tenths), class_="figure quiet" if quiet else "figure")
    ]
    if shown.label:
        parts.insert(0, tag("p", _label(view, shown), class_="label"))
    if number and number.whole is not None:
        parts.extend(_share(number, view.target_share))
    elif view.has_limits and len(view.numbers) == 1:
        parts.append(tag("p", _limits(view), class_="beside"))
    if len(view.numbers) > 1 and (word := view.state_text(shown)):
        parts.append(tag("p", word, class_="word"))
    return tag("div", *parts, class_="cell", data_state=shown.state)


def _label(view: TileView, shown: TileNumber) -> str:
    split = next(label for label in view.measure.labels if label.name == view.tile.shown.split)
    return value_title(split, shown.label)


def _limits(view: TileView) -> str:
    tile = view.tile
    warning, critical = (exact_text(limit or 0, view.unit) for limit in (tile.warning, tile.critical))
    return f"limits {warning} and {critical}"


def _share(number: Number, target: float | None) -> Sequence[Html]:
    """The counts behind a share, and a bar with the mark of its target."""
    counts = f"{number.part:,} of {number.whole:,}" if number.whole else "0 of 0: nothing to measure"
    said = f"{counts}, target {plain(target, Unit.SHARE)}" if target is not None else counts
    return [tag("p", said, class_="beside"), share_bar(number.value, target)]


def share_bar(value: float | None, target: float | None) -> Html:
    """A share as the filled part of a bar; the same numbers follow as text."""
    parts = [tag("rect", x=0, y=3, width=100, height=8, class_="bar-whole")]
    if value is not None:
        parts.append(tag("rect", x=0, y=3, width=f"{min(1.0, max(0.0, value)) * 100:.2f}", height=8, class_="bar-part"))
    if target is not None:
        parts.append(tag("rect", x=f"{target * 100 - 0.4:.2f}", y=0, width=0.8, height=14, class_="bar-target"))
    return tag("svg", *parts, class_="bar", viewBox="0 0 100 14", preserveAspectRatio="none", aria_hidden="true")


def big(value: float | None, unit: Unit, *, tenths: bool = False) -> Sequence[Html]:
    """A number as large as there is room, its unit small."""
    if value is None:
        return [tag("span", NONE)]
    return [
        join(tag("span", number), tag("small", f" {word}"), " ") if word else tag("span", number)
        for number, word in pieces(value, unit, tenths=tenths)
    ]
