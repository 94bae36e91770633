/** What history put over the bars: named periods and agreements. */

import { html } from "../library.js";
import { named } from "../language.js";
import { when } from "../when.js";
import { dated } from "./labels.js";
import { wide } from "./map-size.js";
import { wrapped } from "./timeline-scale.js";

/** Pixels of a row of named periods, and of a row of names of agreements. */
export const BANDS = 34;
export const LANE = 17;

/** A band for each named period, a row for each series; its name where there is room. */
export const Bands = ({ at }) =>
  at.periods.map((period) => {
    const row = at.series.indexOf(period.series);
    const left = Math.max(at.scale(period.start), at.places[0].left);
    const right = Math.min(at.scale.after(period.end), at.right);
    const name = named(period);
    const width = Math.max(right - left, 2);
    const lines = wrapped(name, Math.floor((width - 8) / wide("n")), 2);
    const fits = lines.every((line) => wide(line) <= width - 8 && !line.endsWith("…"));
    return html`<g key=${period.id} class="band" data-band=${period.id}>
      <title>${`${name}: ${dated(period.start)} – ${dated(period.end)}`}</title>
      <rect x=${left} y=${2 + row * BANDS} width=${Math.max(width - 1, 1.5)} height=${BANDS - 4} rx="2" />
      <line x1=${left} x2=${left} y1=${2 + row * BANDS} y2=${at.floor} />
      ${fits && html`<text>${lines.map((line, index) => html`<tspan x=${left + width / 2} y=${20 + row * BANDS + (index - (lines.length - 1) / 2) * 12}>${line}</tspan>`)}</text>`}
    </g>`;
  });

/** A line for each agreement, with its name in a lane of its own; vague dates have their span. */
export function Agreements({ at }) {
  const first = 8 + at.series.length * BANDS;
  const top = ({ lane }) => first + (lane ?? 0) * LANE;
  const lines = at.agreements.map(
    (each) => html`<g key=${each.id} class="agreement" data-agreement=${each.id}>
      <title>${`${each.text}: ${when(each.date)}`}</title>
      <line x1=${each.x} x2=${each.x} y1=${each.lane === null ? at.top : top(each)} y2=${at.floor} />
      ${each.until - each.x > 4 && html`<path class="vague" d=${`M${each.x} ${at.top + 3}H${Math.min(each.until, at.right)}`} />`}
    </g>`,
  );
  const labelled = at.agreements.filter(({ lane }) => lane !== null);
  const names = labelled.map(
    (each) => html`<text key=${each.id} x=${each.anchor === "end" ? each.x - 5 : each.x + 5} y=${top(each) + 9} text-anchor=${each.anchor}>${each.text}</text>`,
  );
  return html`${lines}<g class="agreement">${names}</g>`;
}
