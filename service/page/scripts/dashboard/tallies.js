/** Counts that claimants publish of a span as a whole, side by side and never added up. */

import { html } from "../library.js";
import { t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { figure } from "./figures.js";
import { namedIn, sectorName, throughout } from "./labels.js";
import { Documents } from "./matrix-sources.js";
import { sums } from "./state.js";

/** Tallies of the same span, sector and unit next to one another. */
export function Content({ filters, reference }) {
  const { from, to, sector, claimant, as_of } = sums(filters, reference.periods);
  const asked = { from, to, sector: sector === "unlocated" ? undefined : sector, claimant, as_of };
  const { data, problem } = useAnswer("/v1/aggregates/tallies", asked);
  if (problem) return html`<${Refused} problem=${problem} />`;
  if (!data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  return html`<p>${t("tallies.why")}</p>
    ${data.items.length === 0 && html`<p>${t("tallies.none")}</p>`}
    ${data.items.length > 0 &&
    html`<div class="scroll" role="group" tabindex="0" aria-label=${t("panel.tallies")}>
      <table>
        <thead><tr>${["span", "sector", "unit", "claims"].map((each) => html`<th scope="col">${t(`tallies.${each}`)}</th>`)}</tr></thead>
        <tbody>${data.items.map(
          (row) => html`<tr>
            <th scope="row">${throughout(row.from, row.to, reference.theatre.timezone)}</th>
            <td>${row.sector ? sectorName(row.sector, null, reference) : t("unstated")}</td>
            <td>${t(`unit.${row.unit}`)}</td>
            <td><ul class="spans">${row.claims.map((claim) => html`<li key=${claim.id}><${Claim} claim=${claim} reference=${reference} /></li>`)}</ul></td>
          </tr>`,
        )}</tbody>
      </table>
    </div>`}
    <${Downloads} csv=${address("/v1/aggregates/tallies", { ...asked, format: "csv" })} name="tallies" />`;
}

/** What one claimant counts, in its own words too, since these may say less exactly how many. */
const Claim = ({ claim, reference }) => html`<strong>${figure(claim.count)}</strong>
  ${claim.count.words && html` <q>${claim.count.words}</q>`} – ${namedIn(reference.claimants, claim.claimant)}
  ${claim.attributed_to && ` (${t("tallies.against", { party: namedIn(reference.parties, claim.attributed_to) })})`}
  ${claim.note && html`<span class="remark">${claim.note}</span>`}
  ${claim.sources.length > 0 && html`<${Documents} value=${claim.sources} />`}`;
