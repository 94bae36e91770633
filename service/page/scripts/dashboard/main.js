/** The dashboard: what was claimed, where and when, and what may be said of it. */

import { open } from "../frame.js";
import { html, useMemo } from "../library.js";
import { t } from "../language.js";
import { referenceNow, useReference } from "./data.js";
import { Earlier } from "./earlier.js";
import { Fetched } from "./fetched.js";
import { FilterBar } from "./filters.js";
import { Headline } from "./headline.js";
import { Incidents } from "./incidents.js";
import { bucketName, sectorName } from "./labels.js";
import { MapView } from "./map.js";
import { Panels } from "./panels.js";
import { grainOf, listed, sums, useView } from "./state.js";
import { Sums } from "./sums.js";
import { Timeline } from "./timeline.js";

const matrix = async () => (await import("./matrix.js")).Matrix;

function Page() {
  const { filters, view, set } = useView();
  const { reference, problem } = useReference();
  const asked = JSON.stringify([filters, view]);
  const shared = useMemo(() => reference && { filters, view: suited(view, filters, reference), set, reference }, [asked, reference]);
  if (problem) return html`<h1>${t("dashboard.title")}</h1><p class="failed" role="alert">${t("problem.offline")}</p>`;
  return html`<h1>${t("dashboard.title")}</h1>
    ${shared ? html`<${Board} ...${shared} />` : html`<p class="hint filling" role="status">${t("loading")}</p>`}`;
}

/** A view whose grain suits the time that is asked for, where the reader chose none. */
function suited(view, filters, reference) {
  if (view.grain) return view;
  const { from, to } = sums(filters, reference.periods);
  return { ...view, grain: grainOf(from, to) };
}

function Board(props) {
  return html`<div class="board">
    <${Earlier} ...${props} />
    <${FilterBar} ...${props} />
    <${Headline} ...${props} />
    <div class="pictures">
      <${MapView} ...${props} />
      <${Timeline} ...${props} />
    </div>
    <${Sums} ...${props} />
    <${Chosen} ...${props} />
    <${Incidents} ...${props} filters=${listed(props.filters, props.view, props.reference.periods)} />
    <${Panels} ...${props} />
    ${props.view.incident && html`<${Fetched} start=${matrix} props=${props} />`}
  </div>`;
}

/** Which cell of the table the list below shows, with the way back to all. */
function Chosen({ view, set, reference }) {
  if (!view.bucket) return null;
  const where = view.cell && sectorName(view.cell, view.within, reference);
  const cell = [bucketName(view.bucket, view.grain, reference), where].filter(Boolean).join(", ");
  return html`<p class="chosen-cell">
    ${t("sums.chosen", { cell })}${" "}
    <button type="button" onClick=${() => set({ bucket: "", cell: "", within: "" })}>${t("sums.chosen.all")}</button>
  </p>`;
}

// Under way together with the words; whoever uses it hears whether it failed.
referenceNow().catch(() => {});
open("dashboard", Page, ["pictures", "matrix"]);
