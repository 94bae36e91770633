/** How sums are shaded: five classes that say their ranges, and what is no number apart from them. */

import { measured } from "./figures.js";

const STEPS = 5;

/**
 * Classes of the values above zero, `[{low, high}]`, each bound a value that there is: at most
 * five, with about as many different values in each.
 */
export function classes(values) {
  const found = [...new Set(values.filter((value) => value > 0))].sort((a, b) => a - b);
  const count = Math.min(STEPS, found.length);
  return Array.from({ length: count }, (_, step) => {
    const part = found.slice(Math.round((step * found.length) / count), Math.round(((step + 1) * found.length) / count));
    return { low: part[0], high: part.at(-1) };
  });
}

/** The step of the palette, 1 to 5, of the class at `index` of `count`: the last is the darkest. */
export const stepOf = (index, count) => (count <= 1 ? 3 : 1 + Math.round((index * (STEPS - 1)) / (count - 1)));

/**
 * How the row of a sector is shown: `{kind, value}`.
 *
 * `silent`: nothing is recorded and nobody watched throughout, so there is no number. `unknown`:
 * events of which nobody gave a figure. `open`: the bound asked for has no upper end. `none`: watched
 * throughout, and nothing happened. `some`: a number.
 */
export function shown(row, measure, bound) {
  if (!row || row.incidents === null) return { kind: "silent", value: null };
  const range = measured(row, measure);
  if (range.low === null) return { kind: "unknown", value: null };
  const value = range[bound] ?? null;
  if (value === null) return { kind: "open", value: null };
  return { kind: value === 0 ? "none" : "some", value };
}

/** The class of CSS that shades what `shown` answers, where `steps` are the `classes`. */
export function shadeOf({ kind, value }, steps) {
  if (kind !== "some") return `is-${kind}`;
  const index = steps.findIndex(({ high }) => value <= high);
  return `step-${stepOf(index, steps.length)}`;
}
