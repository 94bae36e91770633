/** Two claimants side by side, and the gap between what they say. */

import { html } from "../library.js";
import { coded, named, number, t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Choice, Refused } from "./fields.js";
import { change, figure, remarks } from "./figures.js";
import { bucketName, namedIn, sorted } from "./labels.js";
import { MEASURES, sums } from "./state.js";

const OUTCOMES = MEASURES.slice(1);

/** A choice of two claimants, their sums and, by the grain, their rows. */
export function Content({ filters, view, set, reference }) {
  const [first, second] = view.pair.split(",");
  const options = sorted(reference.claimants).map((each) => [each.id, named(each)]);
  const choose = (index) => (changes) => {
    const pair = [first ?? "", second ?? ""];
    pair[index] = Object.values(changes)[0];
    set({ pair: pair.join(",").replace(/^,$/, "") });
  };
  const both = first && second && first !== second;
  return html`<p class="hint">${t("claimants.why")}</p>
    <div class="fields">
      <${Choice} name="pair-a" label=${t("claimants.a")} value=${first} options=${options} none=${t("choose")} change=${choose(0)} />
      <${Choice} name="pair-b" label=${t("claimants.b")} value=${second} options=${options} none=${t("choose")} change=${choose(1)} />
    </div>
    ${both && html`<${Compared} filters=${filters} view=${view} reference=${reference} pair=${`${first},${second}`} />`}`;
}

function Compared({ filters, view, reference, pair }) {
  const { according_to: _, ...rest } = filters;
  const asked = sums(rest, reference.periods, { claimants: pair, period: view.grain, by: [], fill: "none" });
  const { data, problem, loading } = useAnswer("/v1/aggregates/gaps", asked);
  if (problem) return html`<${Refused} problem=${problem} />`;
  if (!data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  const [a, b] = data.claimants.map((id) => namedIn(reference.claimants, id));
  const outcome = view.measure === "incidents" ? "killed" : view.measure;
  return html`<div aria-busy=${String(loading)}>
    <div class="scroll" role="group" tabindex="0" aria-label=${t("panel.claimants")}>
      <table class="compared">
        <caption>${t("sums.total")}</caption>
        <thead><tr><th scope="col">${t("view.measure")}</th><th scope="col">${a}</th><th scope="col">${b}</th><th scope="col">${t("claimants.gap")}</th></tr></thead>
        <tbody>
          <${Counts} label=${t("measure.incidents")} row=${data.total} of=${(side) => events(side)} />
          <${Counts} label=${t("claimants.alone")} row=${data.total} of=${(side) => side.alone} />
          <${Counts} label=${t("claimants.shared")} row=${data.total} of=${(side) => side.shared} />
          ${OUTCOMES.map((each) => html`<${Figures} key=${each} label=${t(`outcome.${each}`)} row=${data.total} outcome=${each} />`)}
        </tbody>
      </table>
    </div>
    ${data.cells.length > 0 &&
    html`<div class="scroll" role="group" tabindex="0" aria-label=${t("claimants.rows", { outcome: t(`outcome.${outcome}`) })}>
      <table class="compared">
        <caption>${t("claimants.rows", { outcome: t(`outcome.${outcome}`) })}</caption>
        <thead><tr><th scope="col">${t("view.grain")}</th><th scope="col">${a}</th><th scope="col">${b}</th><th scope="col">${t("claimants.gap")}</th></tr></thead>
        <tbody>${data.cells.map((row) => html`<${Figures} key=${row.period} label=${bucketName(row.period, view.grain, reference)} row=${row} outcome=${outcome} />`)}</tbody>
      </table>
    </div>`}
    <p class="hint">${t("claimants.gap.why")}</p>
    <${Downloads} csv=${address("/v1/aggregates/gaps", { ...asked, format: "csv" })} name="claimants" />
  </div>`;
}

const events = (side) => (side.incidents === null ? null : side.incidents + side.episodes);

const Counts = ({ label, row, of }) => html`<tr>
  <th scope="row">${label}</th>
  ${[row.a, row.b].map((side) => html`<td>${of(side) === null ? t("claimants.silent") : number(of(side))}</td>`)}
  <td></td>
</tr>`;

/** One outcome as each tells it. */
const Figures = ({ label, row, outcome }) => html`<tr>
  <th scope="row">${label}</th>
  ${[row.a, row.b].map(
    (side) => html`<td>${side.incidents === null ? html`<span class="quiet-word">${t("claimants.silent")}</span>` : html`<${Range} sum=${side.figures[outcome]} />`}</td>`,
  )}
  <td>${change(row.gap.figures[outcome]) ?? html`<span class="quiet-word">${row.gap.reason ? coded("reason", row.gap.reason) : t("figure.unknown")}</span>`}</td>
</tr>`;

/** A sum as a range with what must be said beside it. */
export const Range = ({ sum }) => html`<span class="value">${figure(sum)}</span>${remarks(sum).map((text) => html`<span class="remark">${text}</span>`)}`;
