/** When: bars of statuses over time, with what is not known as plain as what is. */

import { html, useMemo, useRef } from "../library.js";
import { coded, t } from "../language.js";
import { address } from "../service.js";
import { STATUSES, Status } from "../statuses.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { sums } from "./state.js";
import { measureName } from "./sums.js";
import { buckets } from "./timeline-buckets.js";
import { Chart } from "./timeline-chart.js";
import { Dates, TimeTable } from "./timeline-table.js";
import { fitting } from "./timeline-scale.js";

/** The timeline with its key, its table and its downloads. */
export function Timeline({ filters, view, set, reference }) {
  const svg = useRef(null);
  const asked = (more) => sums(filters, reference.periods, more);
  const span = useAnswer("/v1/aggregates", asked({ by: "", period: "total" }));
  const grain = span.data && fitting(view.grain, span.data.from, span.data.to);
  const parameters = asked({ by: "status", period: grain });
  const { data, problem, loading } = useAnswer(grain ? "/v1/aggregates" : null, parameters);
  const ready = data && data.period === grain;
  const { on, beside } = useMemo(() => (ready ? buckets(data.cells, view.measure) : { on: [], beside: [] }), [data, ready, view.measure]);
  const shown = { measure: view.measure, grain };
  const choose = (first, last) => set({ from: first.start, to: last.end, period: "" });
  const refusal = span.problem ?? problem;
  const limited = filters.from || filters.to || filters.period;
  return html`<section class="card picture timeline" aria-labelledby="timeline-title" aria-busy=${String(loading)}>
    <header>
      <h2 id="timeline-title">${t("timeline.title", { measure: measureName(view.measure), grain: coded("grain", grain ?? view.grain) })}</h2>
      ${limited && html`<button type="button" class="quiet" onClick=${() => set({ from: "", to: "", period: "", grain: "" })}>${t("timeline.back")}</button>`}
    </header>
    <${Refused} problem=${refusal} />
    ${grain && grain !== view.grain && html`<p class="hint">${t("timeline.coarser", { asked: coded("grain", view.grain), grain: coded("grain", grain) })}</p>`}
    ${!refusal && html`<${Chart} ...${{ svg, on, beside, shown, choose, reference, ready }} />`}
    ${ready && html`<${Key} all=${[...on, ...beside]} measure=${view.measure} />`}
    ${ready && html`<${TimeTable} ...${{ on, beside, shown, reference }} />`}
    ${ready && on.length > 0 && html`<${Dates} first=${on[0].start} last=${on.at(-1).end} reference=${reference} />`}
    <${Downloads} svg=${svg} csv=${address("/v1/aggregates", { ...parameters, format: "csv" })} name="timeline" />
  </section>`;
}

/** What bars and hatchings mean. */
function Key({ all, measure }) {
  const statuses = new Set(all.flatMap(({ parts }) => parts.map(([status]) => status)));
  const kinds = new Set(all.map(({ kind }) => kind));
  const ranges = all.some(({ range }) => range.low !== null && range.high !== range.low);
  return html`<ul class="key-of-timeline">
    ${STATUSES.filter((status) => statuses.has(status)).map((status) => html`<li key=${status}><${Status} status=${status} /></li>`)}
    ${kinds.has("silent") && html`<li><svg width="22" height="14" aria-hidden="true"><rect class="silence" width="22" height="14" fill="url(#timeline-unwatched)" /></svg> ${t("timeline.key.silent")}</li>`}
    ${kinds.has("none") && html`<li><svg width="22" height="14" aria-hidden="true"><path class="zero" d="M3 12v-6M3 9h16M19 12v-6" /></svg> ${t("timeline.key.none")}</li>`}
    ${kinds.has("unknown") && html`<li><svg width="22" height="14" aria-hidden="true"><path class="no-figure" d="M11 2l5 5 -5 5 -5 -5z" /></svg> ${t("timeline.key.unknown")}</li>`}
    ${measure !== "incidents" && ranges && html`<li><svg width="22" height="16" aria-hidden="true"><path class="range open" d="M11 15v-12m-4 4 4 -4 4 4" /></svg> ${t("timeline.key.open")}</li>`}
  </ul>`;
}
