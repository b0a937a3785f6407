// Where panels are: 24 columns, rows of 30 pixels with 8 between them.
type Json = Record<string, any>;

export const GAP = 8;
const CELL = 30;

/** The panels in reading order; those of folded rows, too, where these are opened: what is below moves down. */
export function placed(panels: Json[], isOpened: boolean): Json[] {
  let moved = 0;
  return panels.flatMap((panel) => {
    const own = { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + moved } };
    const inside: Json[] = panel.type === 'row' ? (panel.panels ?? []) : [];
    if (!isOpened || !inside.length) {
      return [own];
    }
    const first = Math.min(...inside.map((one) => one.gridPos.y));
    const last = Math.max(...inside.map((one) => one.gridPos.y + one.gridPos.h));
    const offset = own.gridPos.y + 1 - first;
    moved += last - first;
    return [{ ...own, collapsed: false }, ...inside.map((one) => ({ ...one, gridPos: { ...one.gridPos, y: one.gridPos.y + offset } }))];
  });
}

export function box({ x, y, w, h }: Json, width: number) {
  const column = (width - 23 * GAP) / 24;
  return { left: x * (column + GAP), top: y * (CELL + GAP), width: w * column + (w - 1) * GAP, height: h * CELL + (h - 1) * GAP };
}

export function height(panels: Json[]): number {
  return Math.max(0, ...panels.map(({ gridPos: { y, h } }) => (y + h) * (CELL + GAP)));
}
