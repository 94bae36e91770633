/** Names on the map that do not run into one another. */

import { wide } from "./map-size.js";

const SIZE = 11.5;
const LINE = 15;

/** Pixels between a point and its name. */
export const BESIDE = 7;

/** The box that a text takes: over a point (`middle`), or on either side of it. */
export function box({ x, y, text, anchor = "start" }) {
  const width = wide(text, SIZE);
  const left = { middle: x - width / 2, start: x + BESIDE, end: x - BESIDE - width }[anchor];
  return { left, right: left + width, top: y - LINE / 2, bottom: y + LINE / 2 };
}

const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * Of `labels` (`{x, y, text}`, the most important first) those that fit between `width` and
 * `height`, beside what is there already (`taken`, boxes) and beside each other, each with the first
 * of `anchors` that leaves it room.
 */
export function placed(labels, width, height, taken, anchors) {
  const boxes = [...taken];
  const free = (own) =>
    own.left >= 2 && own.top >= 2 && own.right <= width - 2 && own.bottom <= height - 2 && !boxes.some((other) => meet(own, other));
  return labels.flatMap((label) => {
    const found = anchors.map((anchor) => ({ ...label, anchor })).find((each) => free(box(each)));
    if (!found) return [];
    boxes.push(box(found));
    return [found];
  });
}

/**
 * The name of a country by its ISO 3166-1 numeric code, or null where this browser does not know
 * it in the language: another language's would mislead.
 */
export function country(code, language) {
  if (!/^\d{3}$/.test(code ?? "") || Intl.DisplayNames.supportedLocalesOf(language).length === 0) return null;
  const { region } = new Intl.Locale(`und-${code}`);
  return new Intl.DisplayNames(language, { type: "region", fallback: "none" }).of(region) ?? null;
}
