/** Two spans of time side by side, and the difference as a range. */

import { html } from "../library.js";
import { t } from "../language.js";
import { useAnswer } from "./data.js";
import { Range } from "./claimants.js";
import { Line, Refused } from "./fields.js";
import { change, difference } from "./figures.js";
import { dated, namedIn } from "./labels.js";
import { MEASURES, sums } from "./state.js";

const OUTCOMES = MEASURES.slice(1);
const DATE = "\\d{4}(?:-\\d\\d){0,2}";
const SPAN = new RegExp(`^${DATE}(?:/${DATE})?$`);

/** Two spans to choose, each a named period or any dates. */
export function Content({ filters, view, set, reference }) {
  const known = (text) => reference.periods.has(text) || SPAN.test(text);
  const line = (name) => ({ name, label: t(`periods.${name}`), value: view[name], change: set, accepts: known, list: "named-periods" });
  return html`<p class="hint">${t("periods.why")}</p>
    <div class="fields">
      <${Line} ...${line("earlier")} hint=${t("periods.hint")} placeholder="2022-08" />
      <${Line} ...${line("later")} placeholder="2022-09" />
    </div>
    <datalist id="named-periods">
      ${[...reference.periods.keys()].map((id) => html`<option value=${id}>${namedIn(reference.periods, id)}</option>`)}
    </datalist>
    ${known(view.earlier) && known(view.later) && html`<${Compared} filters=${filters} view=${view} reference=${reference} />`}`;
}

/** The filters with another time. */
function during(filters, text, reference) {
  const { from: _from, to: _to, period: _period, ...rest } = filters;
  if (reference.periods.has(text)) return sums({ ...rest, period: text }, reference.periods);
  const [from, to] = text.split("/");
  return { ...rest, from, to: to ?? from };
}

const spanName = (text, reference) =>
  reference.periods.has(text) ? namedIn(reference.periods, text) : text.split("/").map(dated).join(" – ");

function Compared({ filters, view, reference }) {
  const asked = (text) => ({ ...during(filters, text, reference), period: "total", by: [] });
  const [before, after] = [view.earlier, view.later].map((text) => useAnswer("/v1/aggregates", asked(text)));
  const problem = before.problem ?? after.problem;
  if (problem) return html`<${Refused} problem=${problem} />`;
  if (!before.data || !after.data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  const [one, two] = [before.data.total, after.data.total];
  const rows = [
    ["measure.incidents", (row) => count(row.incidents)],
    ["measure.episodes", (row) => count(row.episodes)],
    ...OUTCOMES.map((each) => [`outcome.${each}`, (row) => row.figures[each]]),
  ];
  return html`<div class="scroll" role="group" tabindex="0" aria-label=${t("panel.periods")} aria-busy=${String(before.loading || after.loading)}>
      <table class="compared">
        <thead><tr>
          <th scope="col">${t("view.measure")}</th>
          <th scope="col">${spanName(view.earlier, reference)}</th>
          <th scope="col">${spanName(view.later, reference)}</th>
          <th scope="col">${t("periods.change")}</th>
        </tr></thead>
        <tbody>${rows.map(
          ([label, of]) => html`<tr key=${label}>
            <th scope="row">${t(label)}</th>
            <${Side} row=${one} sum=${of(one)} />
            <${Side} row=${two} sum=${of(two)} />
            <td>${change(difference(of(one), of(two))) ?? html`<span class="quiet-word">${t(one.incidents === null || two.incidents === null ? "reason.unwatched" : "figure.unknown")}</span>`}</td>
          </tr>`,
        )}
        <tr><th scope="row">${t("periods.coverage")}</th><td>${t(`coverage.${one.coverage ?? "none"}`)}</td><td>${t(`coverage.${two.coverage ?? "none"}`)}</td><td></td></tr>
        </tbody>
      </table>
    </div>
    <p class="hint">${t("periods.change.why")}</p>`;
}

const count = (value) => ({ low: value, best: value, high: value, open: 0, unknown: 0 });

const Side = ({ row, sum }) => html`<td>${row.incidents === null ? html`<span class="quiet-word">${t("sums.unwatched")}</span>` : html`<${Range} sum=${sum} />`}</td>`;
