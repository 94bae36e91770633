/** The bars of the timeline: what is at least so, what is best said, and how far it may go. */

import { html } from "../library.js";
import { fillOf } from "../statuses.js";
import { told, reach } from "./timeline-buckets.js";
import { wide } from "./map-size.js";

const WIDEST = 64;
const LEAST = 2;
const ARROW = 10;

/** One bar. `left` and `width` are its place, `y` the scale of values, `floor` where zero lies. */
export function Bar({ bucket, left, width, y, floor }) {
  const wideEnough = Math.min(WIDEST, Math.max(width * 0.76, 1.5));
  const middle = left + width / 2;
  const from = middle - wideEnough / 2;
  const { kind, range } = bucket;
  if (kind === "silent") return null;
  if (kind === "none") return html`<path class="zero" d=${`M${from} ${floor}v-5M${from} ${floor - 2.5}h${wideEnough}M${from + wideEnough} ${floor}v-5`} />`;
  if (kind === "unknown") return html`<path class="no-figure" d=${`M${middle} ${floor - 14}l5 5 -5 5 -5 -5z`} />`;
  const parts = stacked(bucket.parts, y, floor);
  const top = parts.at(-1)?.top ?? floor;
  const label = told(bucket);
  const above = Math.min(top, range.high === null ? y(reach(bucket)) - ARROW : y(range.high));
  return html`<g>
    ${parts.map(({ status, top: at, height }) => html`<rect key=${status} class=${`bar ${status}`} data-status=${status} x=${from} y=${at} width=${wideEnough} height=${height} fill=${fillOf("timeline", status)} />`)}
    ${range.high !== null && range.high > range.low && html`<path class="range" d=${bracket(middle, y(range.low), y(range.high), wideEnough)} />`}
    ${range.best > range.low && html`<path class="best" d=${`M${from} ${y(range.best)}h${wideEnough}`} />`}
    ${range.high === null && html`<path class="range open" d=${`M${middle} ${y(reach(bucket))}v${-ARROW}m-4 4 4 -4 4 4`} />`}
    ${wide(label) <= width + 6 && html`<text class="value" x=${middle} y=${above - 5}>${label}</text>`}
  </g>`;
}

/** Rectangles from the floor up; what there is is always to be seen. */
function stacked(parts, y, floor) {
  let below = 0;
  let bottom = floor;
  return parts.map(([status, low]) => {
    below += low;
    const top = Math.min(y(below), bottom - LEAST);
    const part = { status, top, height: bottom - top };
    bottom = top;
    return part;
  });
}

/** From the low bound to the high one, open below: it goes on from the bar. */
const bracket = (x, low, high, width) => `M${x} ${low}V${high}M${x - Math.min(width, 16) / 2} ${high}h${Math.min(width, 16)}`;
