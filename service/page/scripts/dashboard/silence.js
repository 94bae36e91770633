/** Where the sources are silent: sectors and spans of time that nobody watched, and who watched the rest. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { bucketName, namedIn, sectorName, throughout } from "./labels.js";
import { daysBetween, sums } from "./state.js";

/** Days of which silence is told day by day; of more by the grain that is looked at, or by months. */
const LONGEST = 400;
const COARSE = { day: "month", week: "month" };

/** Sectors with the spans of which nothing is recorded, and the list of watches. */
export function Content({ filters, view, reference }) {
  const { from, to, as_of } = sums(filters, reference.periods);
  const grain = daysBetween(from, to) <= LONGEST ? "day" : (COARSE[view.grain] ?? view.grain);
  const sector = filters.sector === "unlocated" ? undefined : filters.sector;
  const table = useAnswer("/v1/aggregates", { from, to, as_of, sector, period: grain });
  const watched = { from, to, as_of, sector };
  const watches = useAnswer("/v1/coverage", { ...watched, limit: "100" });
  if (table.problem || watches.problem) return html`<${Refused} problem=${table.problem ?? watches.problem} />`;
  if (!table.data || !watches.data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  return html`<p>${t("silence.why")}${grain !== "day" && ` ${t("silence.coarse", { grain: coded("grain", grain) })}`}</p>
    <div class="scroll" role="group" tabindex="0" aria-label=${t("silence.spans")}>
      <table>
        <caption>${t("silence.spans")}</caption>
        <thead><tr><th scope="col">${t("filter.sector")}</th><th scope="col">${t("coverage.none")}</th><th scope="col">${t("silence.partial")}</th></tr></thead>
        <tbody>${bySector(table.data.cells).map(
          ([id, cells]) => html`<tr key=${id}>
            <th scope="row">${sectorName(id, null, reference)}</th>
            <td>${spans(cells, "none", grain, reference)}</td>
            <td>${spans(cells, "partial", grain, reference)}</td>
          </tr>`,
        )}</tbody>
      </table>
    </div>
    <div class="scroll" role="group" tabindex="0" aria-label=${t("silence.watches")}>
      <table>
        <caption>${t("silence.watches")}</caption>
        <thead><tr>
          ${["observer", "sectors", "span", "access", "means"].map((each) => html`<th scope="col">${t(`silence.${each}`)}</th>`)}
        </tr></thead>
        <tbody>${watches.data.items.map(
          (each) => html`<tr key=${each.id}>
            <th scope="row">${namedIn(reference.claimants, each.observer)}</th>
            <td>${each.sectors.map((id) => sectorName(id, null, reference)).join(", ")}</td>
            <td>${throughout(each.from, each.to, reference.theatre.timezone)}</td>
            <td>${t(`access.${each.access}`)}</td>
            <td>${each.means}${each.note && html`<span class="remark">${each.note}</span>`}</td>
          </tr>`,
        )}</tbody>
      </table>
    </div>
    ${watches.data.next && html`<p class="hint">${t("silence.more")}</p>`}
    <${Downloads} csv=${address("/v1/coverage", { ...watched, format: "csv" })} name="coverage" />`;
}

const bySector = (cells) => [...Map.groupBy(cells.filter((cell) => cell.sector !== "unlocated"), (cell) => cell.sector)];

/** Runs of neighbouring buckets that have this coverage and no incident, in words. */
export function runs(cells, coverage) {
  const found = [];
  let before = null;
  for (const [index, cell] of cells.entries()) {
    const is = cell.incidents === null && cell.coverage === coverage;
    if (is && before === index - 1 && found.length) found.at(-1)[1] = cell.period;
    else if (is) found.push([cell.period, cell.period]);
    if (is) before = index;
  }
  return found;
}

function spans(cells, coverage, grain, reference) {
  const found = runs(cells, coverage);
  if (found.length === 0) return html`<span class="quiet-word">–</span>`;
  return html`<ul class="spans">${found.map(([first, last]) => html`<li>${[...new Set([first, last])].map((each) => bucketName(each, grain, reference)).join(" – ")}</li>`)}</ul>`;
}
