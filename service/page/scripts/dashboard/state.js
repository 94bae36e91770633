/**
 * What the dashboard is asked and how it shows the answer. All of it stands in the address, so that
 * every view is a link: a copy anywhere else would fall out of step with it.
 */

import { useEffect, useState } from "../library.js";

/** Filters, by the names of the parameters of the service. */
export const FILTERS = [
  ...["from", "to", "period", "clock", "sector", "place", "bbox", "weapon", "claimant", "party"],
  ...["status", "contested", "min_killed", "q", "as_of"],
];

/** How answers are shown, with what holds where the address says nothing. */
export const VIEWS = {
  grain: "",
  measure: "incidents",
  bound: "low",
  naming: "neutral",
  order: "newest",
  incident: "",
  bucket: "",
  cell: "",
  within: "",
  open: "",
  pair: "",
  earlier: "",
  later: "",
  language: "",
};

/** Which cell of the table the list shows: a period by the grain, a sector, and what is known of it. */
const CELL = ["bucket", "cell", "within"];

export const GRAINS = ["day", "week", "month", "quarter", "year", "named"];
export const MEASURES = ["incidents", "killed", "wounded", "missing", "captured"];
export const BOUNDS = ["low", "best", "high"];
export const ORDERS = ["newest", "oldest"];

const CHOICES = { grain: GRAINS, measure: MEASURES, bound: BOUNDS, order: ORDERS };
const listeners = new Set();

/** The question that a query string stands for: `{filters, view}`, all values strings. */
export function read(search) {
  const given = new URLSearchParams(search);
  const filters = {};
  for (const name of FILTERS) if (given.get(name)) filters[name] = given.get(name);
  const view = { ...VIEWS };
  for (const name of Object.keys(VIEWS)) {
    const value = given.get(name);
    if (value && (CHOICES[name]?.includes(value) ?? true)) view[name] = value;
  }
  return { filters, view };
}

/**
 * The address of the question with some of it changed; empty values are left out. A cell is one of
 * a table that another question or grain would not have.
 */
export function link(search, changes) {
  const { filters, view } = read(search);
  const other = Object.keys(changes).some((name) => FILTERS.includes(name) || name === "grain");
  const left = other ? Object.fromEntries(CELL.map((name) => [name, ""])) : {};
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filters, ...view, ...left, ...changes })) {
    if (value && value !== VIEWS[name]) query.set(name, value);
  }
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

/** Change parts of the question. `settled: false` while somebody types: no step to go back to. */
export function set(changes, { settled = true } = {}) {
  const address = link(location.search, changes);
  if (address === location.pathname + location.search) return;
  history[settled ? "pushState" : "replaceState"](null, "", address);
  listeners.forEach((listener) => listener());
}

addEventListener("popstate", () => listeners.forEach((listener) => listener()));

/** `{filters, view, set}` of the address now; draws again when it changes. */
export function useView() {
  const [search, setSearch] = useState(location.search);
  useEffect(() => {
    const listener = () => setSearch(location.search);
    listeners.add(listener);
    listener();
    return () => listeners.delete(listener);
  }, []);
  return { ...read(search), set };
}

/** The grain that suits a span of days, given as ISO 8601; open sides mean all there is. */
export function grainOf(first, last) {
  const days = daysBetween(first, last);
  if (!(days >= 0)) return "year";
  if (days <= 45) return "day";
  return days <= 1100 ? "month" : "year";
}

/** Days from the first to the last of a span, given as ISO 8601; without end where a side is open. */
export const daysBetween = (first, last) =>
  first && last ? (Date.parse(lastDay(last)) - Date.parse(firstDay(first))) / 86_400_000 : Infinity;

/** The first day of a day, month or year. */
export const firstDay = (text) => `${text}-01-01`.slice(0, Math.max(text.length, 10)).slice(0, 10);

/** The last day of a day, month or year. */
export function lastDay(text) {
  const [year, month, day] = text.split("-").map(Number);
  if (day) return text;
  return new Date(Date.UTC(year, month || 12, 0)).toISOString().slice(0, 10);
}

/**
 * The parameters that sums are asked with: a named period as its days, since `period` says there by
 * what time is cut. `periods` are those of the reference, by id.
 */
export function sums(filters, periods, more = {}) {
  const { period, ...rest } = filters;
  if (!period) return { ...rest, ...more };
  const known = periods.get(period);
  // The service refuses what it does not know; left out, it would be answered as the whole time.
  if (!known) return { ...rest, ...more, period };
  const from = [known.start, rest.from && firstDay(rest.from)].filter(Boolean).sort().at(-1);
  const to = [known.end, rest.to && lastDay(rest.to)].filter(Boolean).sort()[0];
  return { ...rest, from, to, ...more };
}

/** The parameters of the list of incidents: all that are filtered, or those of the chosen cell. */
export function listed(filters, view, periods) {
  if (!view.bucket) return filters;
  const { bucket, cell, within } = view;
  const row = { grain: view.grain, bucket, ...(cell && { sector: cell }), ...(within && { within }) };
  return sums(filters, periods, { counted: "true", ...row, ...(cell && { level: depth(filters) }) });
}

/** How deep sectors are told apart: where one is asked for, what lies in it. */
export const depth = (filters) => (filters.sector && filters.sector !== "unlocated" ? "2" : "1");
