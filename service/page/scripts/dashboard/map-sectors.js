/** Which sectors the map shows, with what each of them says. */

import { coded, named, number, t } from "../language.js";
import { figure, measured, remarks } from "./figures.js";
import { shown } from "./map-classes.js";
import { firstDay, lastDay } from "./state.js";

/** How deep a sector lies in the tree; the theatre at 0. */
function depthOf(id, sectors) {
  const parent = sectors.get(id)?.parent;
  return parent ? 1 + depthOf(parent, sectors) : 0;
}

/** The depth whose sectors are told apart: the parts of the one that is asked for, if it has any. */
export function levelOf(chosen, sectors) {
  if (!sectors.has(chosen)) return 1;
  const parted = [...sectors.values()].some((sector) => sector.parent === chosen);
  return Math.max(1, depthOf(chosen, sectors) + (parted ? 1 : 0));
}

/** Whether a sector exists on some day of a span. */
const exists = (sector, first, last) =>
  (!sector.valid_from || !last || sector.valid_from <= lastDay(last)) && (!sector.valid_to || !first || sector.valid_to >= firstDay(first));

/**
 * Sectors to draw, the largest first so that none hides another: `[{id, name, geometry, precise, row, asked}]`.
 * What is not `precise` stands for all the rest of the theatre. `rows` are those of the answer by sector; others of the first level are drawn as the way back,
 * without a figure of theirs.
 */
export function drawn(features, rows, sectors, span) {
  const found = features
    .filter(({ id, geometry }) => geometry && sectors.get(id)?.parent)
    .map(({ id, geometry }) => ({ id, geometry, name: named(sectors.get(id)), precise: sectors.get(id).geometry_precision !== "theatre", row: rows.get(id) ?? null, asked: rows.has(id) }));
  const way = ({ id, asked }) => asked || (depthOf(id, sectors) === 1 && exists(sectors.get(id), ...span));
  const parents = new Set([...rows.keys()].map((id) => sectors.get(id)?.parent));
  return found.filter((sector) => way(sector) && (sector.asked || !parents.has(sector.id)));
}

/** What is said of a row in lines: its figure, what is missing from it, who watched, what has no position. */
export function lines(name, row, view, located) {
  if (!row) return [name, t("map.not-asked")];
  const { kind } = shown(row, view.measure, view.bound);
  const range = measured(row, view.measure);
  const placeless = unplaced(row, located);
  return [
    name,
    kind === "silent" ? t("map.silent") : told(range, row, view),
    ...(kind === "silent" || view.measure === "incidents" ? [] : [t("map.events", { count: events(row) }), ...remarks(range)]),
    kind === "silent" || !placeless ? null : t("map.placeless", { count: placeless }),
    row.coverage && coded("coverage", row.coverage),
  ].filter(Boolean);
}

const told = (range, row, view) =>
  view.measure === "incidents" ? t("map.events", { count: events(row) }) : `${coded("outcome", view.measure)}: ${figure(range)}`;

/** Events of a row, with episodes; 0 where it is silent. */
export const events = (row) => (row.incidents ?? 0) + (row.episodes ?? 0);

/** How many of a row's events have no position. `located` is the same row of those that have one. */
export const unplaced = (row, located) => events(row) - (located ? events(located) : 0);

/** A class of the legend in words. */
export const classed = ({ low, high }) => (low === high ? number(low) : t("figure.range", { low, high }));

/** Rows of the whole time by sector, and what is beside the map: `{rows, unlocated, spanning}`. */
export function parted(cells) {
  const whole = cells.filter((cell) => cell.period === "total");
  return {
    rows: new Map(whole.filter((cell) => cell.sector !== "unlocated").map((cell) => [cell.sector, cell])),
    unlocated: whole.filter((cell) => cell.sector === "unlocated"),
    spanning: cells.filter((cell) => cell.period !== "total"),
  };
}
