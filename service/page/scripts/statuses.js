/** How each verification status looks: never by colour alone, so that it survives print and any eye. */

import { html } from "./library.js";
import { coded } from "./language.js";

/** Statuses from the best founded to the least, as the service names them. */
export const STATUSES = ["verified", "corroborated", "unverified", "unverifiable", "refuted", "withdrawn"];

/** Angle in degrees and share of ink of each status's hatching; none is solid. */
const HATCHINGS = {
  corroborated: [45, 4, 2.5],
  unverified: [-45, 5, 1.2],
  unverifiable: [0, 5, 1],
  refuted: [90, 5, 1],
  withdrawn: [0, 7, 0.8],
};

/**
 * What an SVG needs to draw statuses and missing coverage: patterns named after `prefix`, which
 * must be unique in the document. Colours come from classes, so that themes and print apply.
 */
export const Patterns = ({ prefix }) => html`<defs>
  ${Object.entries(HATCHINGS).map(
    ([status, [angle, gap, width]]) => html`<pattern
      id=${`${prefix}-${status}`}
      width=${gap}
      height=${gap}
      patternUnits="userSpaceOnUse"
      patternTransform=${`rotate(${angle})`}
    >
      <rect class=${`ground ${status}`} width=${gap} height=${gap} />
      <rect class=${`ink ${status}`} width=${gap} height=${width} />
    </pattern>`,
  )}
  <pattern id=${`${prefix}-unwatched`} width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <rect class="unwatched-ink" width="1" height="8" />
  </pattern>
</defs>`;

/** The value of `fill` for a status, where `Patterns` with this prefix are in the document. */
export const fillOf = (prefix, status) =>
  status in HATCHINGS ? `url(#${prefix}-${status})` : "var(--verified)";

/** A status in words beside a swatch of how it is drawn; `contested` adds its mark. */
export const Status = ({ status, contested }) => html`<span class=${`status ${status}`}>
  <svg class="swatch" width="14" height="14" aria-hidden="true">
    <rect class=${`swatch-${status}`} x="1" y="1" width="12" height="12" />
  </svg>
  ${coded("status", status)}${contested && html` <span class="contested-mark">≠ ${coded("status", "contested")}</span>`}
</span>`;
