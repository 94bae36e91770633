/** How long each sector has been without a recorded incident, and whether anybody would know. */

import { html } from "../library.js";
import { t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { dated, sectorName } from "./labels.js";
import { sums } from "./state.js";

/** Days since the last incident, as ranges. */
export function Content({ filters, reference }) {
  const asked = sums(filters, reference.periods);
  const to = asked.to ?? (asked.as_of && new Date().toISOString().slice(0, 10));
  const { data, problem } = useAnswer("/v1/aggregates/quiet", { ...asked, to });
  if (problem) return html`<${Refused} problem=${problem} />`;
  if (!data) return html`<p class="hint" role="status">${t("loading")}</p>`;
  return html`<p>${t("quiet.why", { day: dated(data.as_of_day) })}</p>
    <div class="scroll" role="group" tabindex="0" aria-label=${t("panel.quiet")}>
      <table>
        <thead><tr>${["sector", "days", "last", "coverage"].map((each) => html`<th scope="col">${t(`quiet.${each}`)}</th>`)}</tr></thead>
        <tbody>${data.sectors.map(
          (row) => html`<tr key=${`${row.sector} ${row.within}`}>
            <th scope="row">${sectorName(row.sector, row.within, reference)}${row.in_force === false && html`<span class="remark">${t("quiet.ended")}</span>`}</th>
            <td>${daysOf(row.days)}${row.open > 0 && html`<span class="remark">${t("quiet.open", { count: row.open })}</span>`}</td>
            <td>${lastOf(row.last)}</td>
            <td>${row.coverage ? t(`coverage.${row.coverage}`) : "–"}</td>
          </tr>`,
        )}</tbody>
      </table>
    </div>
    <${Downloads} csv=${address("/v1/aggregates/quiet", { ...asked, to, format: "csv" })} name="quiet" />`;
}

function daysOf({ at_least: low, at_most: high }) {
  if (low === null && high === null) return html`<span class="quiet-word">${t("quiet.none")}</span>`;
  if (low === null) return t("quiet.at_most", { count: high });
  if (high === null) return t("quiet.at_least", { count: low });
  return low === high ? t("quiet.exactly", { count: low }) : t("quiet.range", { low, count: high });
}

function lastOf({ earliest, latest }) {
  if (latest === null) return "–";
  if (earliest === latest) return dated(latest);
  return earliest ? t("when.within", { span: `${dated(earliest)} – ${dated(latest)}` }) : t("when.by", { day: dated(latest) });
}
