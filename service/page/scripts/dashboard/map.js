/** Where: sectors shaded by a measure, and incidents no more exactly than they are known. */

import { html, useMemo, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { Aside, Events, MapTable } from "./map-aside.js";
import { classes, shown } from "./map-classes.js";
import { Drawing } from "./map-drawing.js";
import { Legend } from "./map-legend.js";
import { drawn, levelOf, parted } from "./map-sectors.js";
import { measureName } from "./sums.js";
import { sums } from "./state.js";

/** Marks that a map may hold; what is more is in the shades and the list. */
const MOST = 500;
const NONE = [];

/** The map with its legend, what is beside it, its table and its downloads. */
export function MapView({ filters, view, set, reference }) {
  const svg = useRef(null);
  const [chosen, choose] = useState(null);
  const asked = sums(filters, reference.periods, { period: "total", level: levelOf(filters.sector, reference.sectors) });
  const inList = sums(filters, reference.periods, { counted: "true", place_precision: "district", format: "geojson" });
  const answer = useAnswer("/v1/aggregates", asked);
  const located = useAnswer("/v1/aggregates", { ...asked, place_precision: "district" });
  const incidents = useAnswer("/v1/incidents", { ...inList, limit: MOST });
  const outlines = useAnswer("/v1/sectors", { format: "geojson" });
  const { data } = answer;
  const { rows, unlocated, spanning } = useMemo(() => parted(data?.cells ?? NONE), [data]);
  const positioned = useMemo(() => parted(located.data?.cells ?? NONE).rows, [located.data]);
  const sectors = useMemo(
    () => (data && outlines.data ? drawn(outlines.data.features, rows, reference.sectors, [data.from, data.to]) : NONE),
    [data, outlines.data, rows, reference],
  );
  const told = useMemo(() => [...rows.values()].map((row) => shown(row, view.measure, view.bound)), [rows, view.measure, view.bound]);
  const steps = useMemo(() => classes(told.map(({ value }) => value)), [told]);
  const features = incidents.data?.features ?? NONE;
  const problem = [answer, incidents, outlines].find((each) => each.problem)?.problem;
  const back = filters.sector && (reference.sectors.get(filters.sector)?.parent ?? "");
  return html`<section class="card picture map" aria-labelledby="map-title" aria-busy=${String(answer.loading)}>
    <header>
      <h2 id="map-title">${t("map.title", { measure: measureName(view.measure) })}</h2>
      ${back !== undefined && filters.sector && html`<button type="button" class="quiet" onClick=${() => set({ sector: reference.sectors.get(back)?.parent ? back : "" })}>${t("map.back")}</button>`}
    </header>
    <${Refused} problem=${problem} />
    ${!problem && html`<div class="map-body">
      <${Drawing} svg=${svg} ...${{ sectors, rows, located: positioned, steps, features, view, filters, set, reference, data }} open=${(items) => (items.length === 1 ? set({ incident: items[0].id }) : choose(items))} />
      <div class="map-side">
        ${chosen &&
        html`<section class="chosen" aria-labelledby="map-chosen" role="status">
          <h3 id="map-chosen">${t("map.cluster", { count: chosen.length })}</h3>
          <${Events} items=${chosen} set=${set} reference=${reference} />
          <button type="button" onClick=${() => choose(null)}>${t("close")}</button>
        </section>`}
        ${data && html`<${Aside} ...${{ unlocated, spanning, view, set, reference }} />`}
        ${data && html`<${Legend} measure=${view.measure === "incidents" ? measureName(view.measure) : `${measureName(view.measure)} (${t(`bound.${view.bound}`)})`} steps=${steps} kinds=${new Set(told.map(({ kind }) => kind))} statuses=${new Set(features.map((each) => each.properties.status))} contested=${features.some((each) => each.properties.contested)} />`}
      </div>
    </div>`}
    ${features.length >= MOST && html`<p class="hint">${t("map.most", { count: MOST })}</p>`}
    ${data && html`<${MapTable} ...${{ rows, unlocated, spanning, total: data.total, located: positioned, view, reference }} />`}
    <p class="hint">${t("map.ground")}</p>
    <${Downloads} svg=${svg} csv=${address("/v1/aggregates", { ...asked, format: "csv" })} geojson=${address("/v1/incidents", inList)} name="map" />
  </section>`;
}
