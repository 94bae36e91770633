/** Figures in words: ranges as ranges, open ones as open, and none as none, never as zero. */

import { number, t } from "../language.js";

/**
 * `{low, best, high}` in words: "12", "at least 99", "3 to 12", "at most 5", "no figure". A `high`
 * of null above a known low has no upper bound.
 */
export function figure(range) {
  if (!range || (range.low ?? null) === null) return t("figure.unknown");
  const { low, high } = range;
  if ((high ?? null) === null) return t("figure.at_least", { low });
  if (low === high) return number(low);
  return t(low === 0 ? "figure.at_most" : "figure.range", { low, high });
}

/** The same as short as a chart has room for: "99+", "3–12", "–". */
export function short(range) {
  if (!range || (range.low ?? null) === null) return "–";
  const { low, high } = range;
  if ((high ?? null) === null) return t("figure.short.open", { low });
  return low === high ? number(low) : t("figure.short.range", { low, high });
}

/** A change in words: "96 or more", "1 to 4 fewer", "the same". `null` bounds are open. */
export function change(range) {
  const [low, high] = [range?.low ?? null, range?.high ?? null];
  if (low === null && high === null) return null;
  if (low === null) return t("change.at_most", { high: signed(high) });
  if (high === null) return t("change.at_least", { low: signed(low) });
  if (low === high) return low === 0 ? t("change.same") : signed(low);
  return t("figure.range", { low: signed(low), high: signed(high) });
}

const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${number(Math.abs(value))}`;

/**
 * What leads from one row to another, as a range (docs/method.md, "Earlier days"): null where one
 * of them knows nothing, since silence is no zero.
 */
export function difference(earlier, later) {
  if ((earlier?.low ?? null) === null || (later?.low ?? null) === null) return null;
  return {
    low: (earlier.high ?? null) === null ? null : later.low - earlier.high,
    high: (later.high ?? null) === null ? null : later.high - earlier.low,
  };
}

/**
 * Rows of one answer put together, bound by bound as the service sums (docs/method.md, "From
 * incidents to sums"): only for rows that it says are additive. The first tells the coverage.
 */
export function added(rows) {
  const [first] = rows;
  const known = rows.filter((row) => row.incidents !== null);
  if (known.length === 0) return first;
  const sum = (of) => known.reduce((total, row) => total + of(row), 0);
  const outcomes = Object.keys(first.figures);
  return {
    ...first,
    incidents: sum((row) => row.incidents),
    episodes: sum((row) => row.episodes),
    remainder: known.some((row) => row.remainder),
    figures: Object.fromEntries(outcomes.map((outcome) => [outcome, addedRanges(known.map((row) => row.figures[outcome]))])),
  };
}

function addedRanges(ranges) {
  const given = ranges.filter((range) => range.low !== null);
  const sum = (items, bound) => items.reduce((total, range) => total + range[bound], 0);
  const open = sum(ranges, "open");
  return {
    low: given.length ? sum(given, "low") : null,
    best: given.length ? sum(given, "best") : null,
    high: given.length && open === 0 ? sum(given, "high") : null,
    open,
    unknown: sum(ranges, "unknown"),
  };
}

/** What must be said beside a sum: how many figures are open, and of how many nobody gave one. */
export function remarks({ open, unknown }) {
  return [
    open > 0 && t("figure.open", { count: open }),
    unknown > 0 && t("figure.without", { count: unknown }),
  ].filter(Boolean);
}

/** A measure of an answer's row: `{low, best, high}`; counts are the same in all three. */
export function measured(row, measure) {
  if (measure !== "incidents") return row.figures[measure];
  const count = row.incidents === null ? null : row.incidents + row.episodes;
  return { low: count, best: count, high: count, open: 0, unknown: 0 };
}
