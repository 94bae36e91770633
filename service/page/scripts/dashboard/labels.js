/** What buckets of time, sectors and filters are called for a reader. */

import { coded, inOrder, named, t } from "../language.js";

/** A day, month or year (ISO 8601) in words, a span of its own each. */
export function dated(text) {
  const [year, month, day] = text.split("-");
  if (day) return t("date.day", { day: String(Number(day)), month: t(`month.${month}`), year });
  return month ? t("date.month", { month: t(`month.alone.${month}`), year }) : t("date.year", { year });
}

/**
 * The days of a time zone from one instant to another, which is not in them; null as the end means
 * no end.
 */
export function throughout(from, to, zone) {
  const first = dayIn(from, zone);
  // What ends at midnight ended with the day before.
  const last = to && dayIn(new Date(Date.parse(to) - 1).toISOString(), zone);
  if (first === last) return dated(first);
  return `${dated(first)} – ${last ? dated(last) : t("when.open")}`;
}

const dayIn = (instant, timeZone) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(new Date(instant));

/** The name of an answer's row of time. */
export function bucketName(period, grain, reference) {
  const known = reference.periods.get(period);
  if (known) return named(known);
  if (["spanning", "outside", "total"].includes(period)) return t(period === "total" ? "grain.total" : period);
  if (grain === "quarter") return t("date.quarter", { quarter: period.slice(-1), year: period.slice(0, 4) });
  if (grain === "week") return t("date.week", { week: String(Number(period.slice(-2))), year: period.slice(0, 4) });
  return dated(period);
}

/** The name of a sector, or of what is known of what is in none. */
export function sectorName(id, within, reference) {
  if (id !== "unlocated") return namedIn(reference.sectors, id);
  return within && within !== "unlocated" ? t("unlocated.within", { within: namedIn(reference.sectors, within) }) : t("unlocated");
}

/** The name of an entry of one of the reference's maps, or the code itself. */
export const namedIn = (entries, id) => (entries.has(id) ? named(entries.get(id)) : has(id));

const has = (id) => (id === "unstated" ? t("unstated") : id);

const NAMES = {
  sector: (value, reference) => sectorName(value, null, reference),
  weapon: (value, { weapons }) => namedIn(weapons, value),
  claimant: (value, { claimants }) => namedIn(claimants, value),
  party: (value, { parties }) => namedIn(parties, value),
  period: (value, { periods }) => namedIn(periods, value),
  status: (value) => coded("status", value),
  contested: (value) => t(value === "true" ? "yes" : "no"),
  clock: (value) => coded("clock", value),
  bbox: () => t("filter.bbox.set"),
};

/** The value of a filter in words. */
export function filterValue(name, value, reference) {
  if (name === "from" || name === "to") return /^\d{4}(-\d\d){0,2}$/.test(value) ? dated(value) : value;
  return NAMES[name]?.(value, reference) ?? value;
}

/** Entries with a `parent` in the order of their tree: `[{entry, depth}]`. */
export function tree(entries, parent = null, depth = 0) {
  const here = [...entries.values()].filter((entry) => (entry.parent ?? null) === parent);
  return here.flatMap((entry) => [{ entry, depth }, ...tree(entries, entry.id, depth + 1)]);
}

/** Entries by name in the order of the language. */
export const sorted = (entries) => inOrder([...entries.values()], named);
