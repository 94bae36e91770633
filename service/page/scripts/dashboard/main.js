/** The dashboard: what was claimed, where and when, and what may be said of it. */

import { open } from "../frame.js";
import { html, useMemo } from "../library.js";
import { t } from "../language.js";
import { referenceNow, useReference } from "./data.js";
import { Earlier } from "./earlier.js";
import { Fetched } from "./fetched.js";
import { FilterBar } from "./filters.js";
import { Headline } from "./headline.js";
import { grainOf, sums, useView } from "./state.js";

/** All scripts of the page have come by then, those that pictures are drawn with too. */
const parsed = new Promise((done) => addEventListener("DOMContentLoaded", done));
const below = async () => {
  await parsed;
  return (await import("./below.js")).Below;
};
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
    <${Fetched} start=${below} props=${props} filling />
    ${props.view.incident && html`<${Fetched} start=${matrix} props=${props} />`}
  </div>`;
}

// Under way together with the words; whoever uses it hears whether it failed.
referenceNow().catch(() => {});
open("dashboard", Page, ["pictures", "matrix"]);
