/** Incidents on the map: as large as their place is vague, as hatched as they are unproven. */

import { html } from "../library.js";
import { coded, number, t } from "../language.js";
import { STATUSES, fillOf } from "../statuses.js";
import { titleOf } from "../titles.js";
import { when } from "../when.js";
import { figure } from "./figures.js";
import { pixels } from "./map-projection.js";

/** Pixels of what is known to the metre and to a settlement. */
const RADII = { exact: 4, settlement: 7 };
/** What stands for a district whose extent nobody told: kilometres, and the least of pixels. */
const DISTRICT = { kilometres: 9, least: 15 };
const LEAST_TARGET = 13;
const NEAR = 9;

/** The radius of a mark in pixels. `transform` is d3's, of the zoom. */
export function radius(precision, position, projection, transform) {
  if (precision !== "district") return RADII[precision];
  return Math.max(DISTRICT.least, pixels(projection, position, DISTRICT.kilometres) * transform.k);
}

/**
 * Marks of GeoJSON features, `[{x, y, r, precision, items}]`, those that coincide as one. What is
 * known to a sector only has no position, and no mark. Vague ones come first, to lie below.
 */
export function marks(features, projection, transform) {
  const made = [];
  for (const { geometry, properties } of features) {
    const precision = properties["point.precision"];
    if (geometry?.type !== "Point" || !(precision in RADII || precision === "district")) continue;
    const [x, y] = transform.apply(projection(geometry.coordinates));
    const same = made.find((mark) => mark.precision === precision && Math.hypot(mark.x - x, mark.y - y) < NEAR);
    if (same) same.items.push(properties);
    else made.push({ x, y, r: radius(precision, geometry.coordinates, projection, transform), precision, items: [properties] });
  }
  return made.sort((a, b) => b.r - a.r);
}

/** The weakest status of some incidents: together they are no better founded than that. */
export const weakest = (items) => STATUSES.findLast((status) => items.some((item) => item.status === status)) ?? "unverified";

/** The figure of an incident for a measure, in words; null where events are counted. */
export const told = (item, measure) =>
  measure === "incidents"
    ? null
    : `${coded("outcome", measure)}: ${figure({ low: item[`figures.${measure}.low`], high: item[`figures.${measure}.high`] })}`;

/** What a mark stands for, as lines. */
export function lines({ items, precision }, measure, zone) {
  if (items.length > 1) return [t("map.cluster", { count: items.length }), coded("precision", precision), ...items.slice(0, 4).map((item) => item.title ?? when(item.when, zone))];
  const [item] = items;
  return [
    titleOf(item),
    when(item.when, zone),
    [coded("status", item.status), item.contested && `≠ ${coded("status", "contested")}`].filter(Boolean).join(", "),
    `${t("map.known-to")}: ${coded("precision", precision)}`,
    told(item, measure),
  ].filter(Boolean);
}

/** A mark. `open` is called with its items, `point` with it or null as one points at it. */
export function Mark({ mark, measure, zone, open, point }) {
  const { x, y, r, precision, items } = mark;
  const status = weakest(items);
  const contested = items.some((item) => item.contested);
  const press = (event) => {
    if (event.key && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open(items);
  };
  return html`<g
    class=${`mark ${precision} ${status}`}
    transform=${`translate(${x} ${y})`}
    role="button"
    tabindex="0"
    aria-label=${lines(mark, measure, zone).join(". ")}
    data-precision=${precision}
    data-count=${items.length}
    onClick=${press}
    onKeyDown=${press}
    onPointerEnter=${() => point(mark)}
    onPointerLeave=${() => point(null)}
    onFocus=${() => point(mark)}
    onBlur=${() => point(null)}
  >
    <circle class="target" r=${Math.max(r, LEAST_TARGET)} />
    <circle class="shape" r=${r} fill=${fillOf("map", status)} />
    ${items.length > 1 && html`<text class="count" y="4">${number(items.length)}</text>`}
    ${contested && html`<text class="contested" x=${items.length > 1 ? 8 : 0} y=${items.length > 1 ? -4 : 4}>≠</text>`}
  </g>`;
}
