/** The incidents behind the figures: a list of exactly what the filters select. */

import { html, useEffect, useRef, useState } from "../library.js";
import { coded, t } from "../language.js";
import { address } from "../service.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { figure } from "./figures.js";
import { Opening } from "./incidents-opening.js";
import { OUTCOMES } from "./matrix-cells.js";
import { precisionOf, whereOf } from "./matrix-words.js";
import { ORDERS } from "./state.js";

const PAGE = "20";

/** The list with its order, its pages and its downloads. */
export function Incidents({ filters, view, set, reference }) {
  const { order } = view;
  const asked = { ...filters, order };
  const file = (format) => address("/v1/incidents", { ...asked, format });
  return html`<section class="card incidents" id="incidents" aria-labelledby="incidents-title">
    <header>
      <h2 id="incidents-title">${t("incidents.title")}</h2>
      <label class="choice">${t("incidents.order")}
        <select name="order" value=${order} onChange=${(event) => set({ order: event.target.value })}>
          ${ORDERS.map((each) => html`<option value=${each} selected=${each === order}>${t(`incidents.order.${each}`)}</option>`)}
        </select>
      </label>
    </header>
    <${Page} key=${JSON.stringify(asked)} asked=${asked} set=${set} reference=${reference} naming=${view.naming} />
    <${Downloads} csv=${file("csv")} geojson=${file("geojson")} name="incidents" />
  </section>`;
}

/** One page of the list and, once it is asked for, those after it. */
function Page({ asked, cursor, moved, ...shared }) {
  const { data, problem, loading } = useAnswer("/v1/incidents", { ...asked, limit: PAGE, cursor });
  const [more, setMore] = useState(false);
  const list = useRef(null);
  useEffect(() => {
    if (moved && data) list.current?.querySelector(".opening")?.focus();
  }, [data]);
  if (problem) return html`<p class="failed" role="alert">${problem.status === 0 ? t("problem.offline") : t("problem.refused", { detail: problem.message })}</p>`;
  if (!data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  if (!data.items.length) return html`<p>${t("incidents.none")}</p>`;
  return html`<ul class="rows" ref=${list} aria-busy=${loading}>
      ${data.items.map((incident) => html`<li key=${incident.id} class=${incident.counted ? "" : "uncounted"}><${Row} incident=${incident} ...${shared} /></li>`)}
    </ul>
    ${data.next && (more
      ? html`<${Page} asked=${asked} cursor=${data.next} moved ...${shared} />`
      : html`<p><button type="button" onClick=${() => setMore(true)}>${t("incidents.more")}</button></p>`)}`;
}

function Row({ incident, set, reference, naming }) {
  const where = { sector: incident.sector, precision: incident.point?.precision };
  const told = OUTCOMES.filter((outcome) => incident.figures[outcome]);
  const tellers = new Set(incident.matrix.map((each) => each.claimant)).size;
  return html`<div class="what">
      <h3><${Opening} incident=${incident} set=${set} /></h3>
      <p><span>${when(incident.when, reference.theatre.timezone)}</span>
        <span>${whereOf(reference, where, naming)} <span class="hint">(${precisionOf(reference, where)})</span></span></p>
      ${incident.episode && html`<p class="hint">${incident.parts.length ? t("incidents.episode.parts", { count: incident.parts.length }) : t("incidents.episode")}</p>`}
      ${incident.part_of && html`<p class="hint">${t("incidents.part")}</p>`}
      ${!incident.counted && html`<p class="hint">${incident.reason ? t("matrix.uncounted.reason", { reason: incident.reason }) : t("matrix.uncounted")}</p>`}
    </div>
    <dl class="told">
      ${told.map((outcome) => html`<div key=${outcome}><dt>${coded("outcome", outcome)}</dt><dd>${figure(incident.figures[outcome])}</dd></div>`)}
      ${!told.length && html`<div><dt>${t("incidents.casualties")}</dt><dd class="silent">${t("figure.unknown")}</dd></div>`}
    </dl>
    <div class="standing">
      <${Status} status=${incident.status} contested=${incident.contested} />
      <span class="hint">${t("matrix.accounts", { count: incident.reports })}${tellers > 0 && `, ${t("incidents.tellers", { count: tellers })}`}</span>
    </div>`;
}
