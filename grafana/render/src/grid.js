/** Where panels stand: Grafana's grid of 24 columns, cells 30 px high, 8 px apart. Pure arithmetic. */
const COLUMNS = 24;
const CELL_PX = 30;
const GAP_PX = 8;
export const HEADER_PX = 48; // ours: title and variables, about as high as Grafana's in kiosk mode

/** All panels in one list. A collapsed row is opened, and what stands below it moves down. */
export function flatten(panels) {
  const found = [];
  let moved = 0;
  for (const panel of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y)) {
    found.push(shifted(panel, moved));
    const inside = panel.type === 'row' && panel.collapsed ? (panel.panels ?? []) : [];
    found.push(...inside.map((each) => shifted(each, moved)));
    moved += inside.length ? bottom(inside) - (panel.gridPos.y + panel.gridPos.h) : 0;
  }
  return found;
}

/** A panel's place in pixels. */
export function box({ x, y, w, h }, width) {
  const column = (width - GAP_PX * (COLUMNS + 1)) / COLUMNS;
  return {
    left: GAP_PX + x * (column + GAP_PX),
    top: HEADER_PX + y * (CELL_PX + GAP_PX),
    width: w * column + (w - 1) * GAP_PX,
    height: h * CELL_PX + (h - 1) * GAP_PX,
  };
}

/** Height in pixels that shows every panel. */
export function heightOf(panels) {
  return HEADER_PX + bottom(panels) * (CELL_PX + GAP_PX);
}

function bottom(panels) {
  return Math.max(0, ...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
}

function shifted(panel, rows) {
  return { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + rows } };
}
