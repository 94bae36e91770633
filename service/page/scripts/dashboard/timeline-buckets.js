/** Answers by status as what a bar shows: a range made of statuses, a zero, or silence. */

import { coded, number, t } from "../language.js";
import { STATUSES } from "../statuses.js";
import { figure, measured, remarks, short } from "./figures.js";
import { bucketName } from "./labels.js";

/** Rows of an answer that belong to no place on the axis. */
const BESIDE = ["spanning", "outside", "incomplete"];

/**
 * Rows of an answer `by=status` put together by period, `{on, beside}`: those on the axis, and the
 * others. Each is `{id, start, end, parts, events, range, kind, coverage}`; `parts` are
 * `[status, low]` from the best founded on, `range` sums them, and `kind` is as in `map-classes`.
 */
export function buckets(cells, measure) {
  const groups = Map.groupBy(cells, (cell) => cell.period);
  const all = [...groups].map(([id, rows]) => bucket(id, rows, measure));
  return { on: all.filter(({ id }) => !BESIDE.includes(id)), beside: all.filter(({ id, kind }) => BESIDE.includes(id) && kind !== "silent") };
}

function bucket(id, rows, measure) {
  const [{ start, end, coverage }] = rows;
  const told = rows.filter((row) => row.incidents !== null);
  const found = told.map((row) => ({ status: row.status, ...measured(row, measure) })).filter(({ low }) => low !== null);
  const sum = (bound) => found.reduce((total, each) => total + (each[bound] ?? 0), 0);
  const add = (name) => told.reduce((total, row) => total + (measured(row, measure)[name] ?? 0), 0);
  const open = add("open");
  const range = found.length === 0 ? { low: null, best: null, high: null } : { low: sum("low"), best: sum("best"), high: open > 0 ? null : sum("high") };
  const parts = STATUSES.map((status) => [status, found.find((each) => each.status === status)?.low ?? 0]).filter(([, low]) => low > 0);
  const events = told.reduce((total, row) => total + row.incidents + row.episodes, 0);
  return { id, start, end, coverage, parts, events, range: { ...range, open, unknown: add("unknown") }, kind: kindOf(told, range) };
}

function kindOf(told, { low, high }) {
  if (told.length === 0) return "silent";
  if (low === null) return "unknown";
  return low === 0 && high === 0 ? "none" : "some";
}

/** The largest number that a bar reaches. */
export const reach = ({ range }) => Math.max(range.low ?? 0, range.best ?? 0, range.high ?? 0);

/** Neighbours of which nothing is known, as spans: `[{from, to, coverage}]` of indexes. */
export function silences(all) {
  const found = [];
  all.forEach(({ kind, coverage }, index) => {
    if (kind !== "silent") return;
    const last = found.at(-1);
    if (last && last.to === index - 1 && last.coverage === coverage) last.to = index;
    else found.push({ from: index, to: index, coverage });
  });
  return found;
}

/** A bucket in words. */
export function said(each, { measure, grain }, reference) {
  const name = bucketName(each.id, grain, reference);
  const watched = each.coverage ? `, ${coded("coverage", each.coverage)}` : "";
  if (each.kind === "silent") return `${name}: ${t("timeline.silent")}${watched}`;
  const counted = t("map.events", { count: each.events });
  if (measure === "incidents") return `${name}: ${counted}${ofStatuses(each)}${watched}`;
  const figures = `${coded("outcome", measure)}: ${figure(each.range)}`;
  return [`${name}: ${figures}${ofStatuses(each)}`, counted, ...remarks(each.range)].join("; ") + watched;
}

const ofStatuses = ({ parts }) => (parts.length > 0 ? ` (${parts.map(([status, low]) => `${coded("status", status)} ${number(low)}`).join(", ")})` : "");

/** A bucket as short as there is room for above its bar. */
export const told = ({ kind, range }) => (kind === "some" ? short(range) : kind === "none" ? number(0) : "");
