/** Time as it is drawn: units that fit, days on an axis, and labels that keep apart. */

import { t } from "../language.js";
import { bucketName } from "./labels.js";
import { wide } from "./map-size.js";
import { d3 } from "./mathematics.js";
import { firstDay, lastDay } from "./state.js";

/** Milliseconds of a day. */
const DAY = 86_400_000;
const LENGTHS = { day: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };
/** More bars than this are no picture any more, even if one scrolls. */
const MOST = 750;

const at = (iso) => Date.parse(`${iso}T00:00:00Z`);

/** How many units a span of days (ISO 8601) has, roughly. */
export const unitsIn = (grain, first, last) => Math.ceil((at(lastDay(last)) - at(firstDay(first)) + DAY) / DAY / LENGTHS[grain]);

/** The grain that is asked for, or the next coarser one whose units are not too many to draw. */
export function fitting(grain, first, last) {
  const grains = Object.keys(LENGTHS);
  const from = grains.indexOf(grain);
  if (from < 0) return grain;
  return grains.slice(from).find((each) => unitsIn(each, first, last) <= MOST) ?? "year";
}

/** A scale from days (ISO 8601) to pixels; a day ends where the next begins: use `after` for it. */
export function timeScale(first, last, left, right) {
  const scale = d3.scaleUtc().domain([at(first), at(last) + DAY]).range([left, right]);
  const place = (iso) => scale(at(iso));
  place.after = (iso) => scale(at(iso) + DAY);
  place.ticks = (count) => ticks(scale, count);
  return place;
}

/** Ticks of a scale with their words, each as long as its place is wide: years, months or days. */
function ticks(scale, count) {
  const found = scale.ticks(Math.max(count, 2));
  const step = found.length > 1 ? (found[1] - found[0]) / DAY : 1;
  const part = step >= 360 ? "year" : step >= 28 ? "month" : "day";
  const kept = part === "day" ? found.filter((date) => date.getUTCHours() === 0) : found;
  return kept.map((date) => {
    const [year, month, day] = date.toISOString().slice(0, 10).split("-");
    const months = { month: t(`month.${month}`), year, day: String(Number(day)) };
    if (part === "year" || (part === "month" && month === "01")) return { x: scale(date), text: year, major: true };
    if (part === "month") return { x: scale(date), text: t(`month.alone.${month}`), major: false };
    return { x: scale(date), text: t("timeline.tick.day", months), major: false };
  });
}

/** A unit of time as short as an axis has room for: without the year that it lies in. */
export function unitName(id, grain, reference) {
  const [, month, day] = id.split("-");
  if (grain === "year") return id;
  if (grain === "day") return t("timeline.tick.day", { day: String(Number(day)), month: t(`month.${month}`) });
  if (grain === "month") return t(`month.alone.${month}`);
  return bucketName(id, grain, reference);
}

/** The first and last day of a date in EDTF, either null where it is open or not to be read. */
export function edges(text) {
  const [from, to = from] = text.replace(/[[\]~?%]/g, "").split(/\.\.|\//);
  const known = (part) => /^\d{4}(-\d{2}){0,2}$/.test(part);
  return { first: known(from) ? firstDay(from) : null, last: known(to) ? lastDay(to) : null };
}

/**
 * Lanes for labels at their `x`, none beyond `right`: `[{...label, lane, anchor}]`. Those that fit
 * into none of so many lanes get lane null; the first given are the first placed.
 */
export function lanes(labels, right, count) {
  const filled = Array.from({ length: count }, () => []);
  return labels.map((label) => {
    const width = wide(label.text) + 10;
    const anchor = label.x + width > right ? "end" : "start";
    const [from, to] = anchor === "end" ? [label.x - width, label.x] : [label.x, label.x + width];
    const free = from < 0 ? -1 : filled.findIndex((lane) => lane.every((other) => to <= other[0] || from >= other[1]));
    if (free < 0) return { ...label, anchor, lane: null };
    filled[free].push([from, to]);
    return { ...label, anchor, lane: free };
  });
}

/** A text in lines of at most so many letters, the last cut short where there are more than `most`. */
export function wrapped(text, letters, most) {
  const found = [];
  for (const word of text.split(" ")) {
    const line = found.at(-1);
    if (line !== undefined && [...`${line} ${word}`].length <= letters) found[found.length - 1] = `${line} ${word}`;
    else found.push(word);
  }
  if (found.length <= most) return found;
  return [...found.slice(0, most - 1), `${found[most - 1].slice(0, letters - 1)}…`];
}
