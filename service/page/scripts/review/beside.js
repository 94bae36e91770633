/** Reports beside one another, matter by matter, with a mark where they contradict each other. */

import { html, useContext } from "../library.js";
import { coded, t } from "../language.js";
import { Status } from "../statuses.js";
import { Reference, nameOf } from "./reference.js";
import { cells, differences, differencesTold, figure, people, precisionOf, whenOf, whereOf } from "./telling.js";

/**
 * `report` in the first column, each of `others` in one of its own, those that contradict first.
 * `against` is what the service told of those that contradict it. Of all else it tells nothing: of
 * other incidents, of a report that does not wait, of what came since; that is reckoned here.
 */
export function Beside({ report, others, against = [], title }) {
  const reference = useContext(Reference);
  const told = new Map(against.map((each) => [each.report, differencesTold(each)]));
  const apart = new Map(others.map((other) => [other.id, told.get(other.id) ?? differences(report, other)]));
  const sorted = [...others].sort((a, b) => apart.get(b.id).size - apart.get(a.id).size);
  const columns = [report, ...sorted];
  const rows = [
    ["when", t("fact.when"), (each) => whenOf(each)],
    ["where", t("fact.where"), (each) => html`${whereOf(reference, each.where)} <span class="hint">${precisionOf(each.where)}</span>`],
    ["stance", t("fact.stance"), (each) => coded("stance", each.stance)],
    ["attributed_to", t("fact.attributed_to"), (each) => (each.attributed_to ? nameOf(reference, "parties", each.attributed_to) : "–")],
    ...figuresOf(columns, reference),
    ["status", t("fact.status"), (each) => html`<${Status} status=${each.status} />`],
    ["summary", t("fact.summary"), (each) => html`<span dir="auto">${each.summary ?? "–"}</span>`],
  ];
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${title}>
    <table class="beside">
      <caption class="visually-hidden">${title}</caption>
      <thead>
        <tr>
          <td></td>
          ${columns.map(
            (each, place) => html`<th scope="col">
              <span dir="auto">${nameOf(reference, "claimants", each.claimant)}</span>
              ${place === 0 ? html`<br /><span class="hint">${t("beside.this")}</span>` : html`<br /><a href=${`?report=${each.id}`}>${t("beside.open")}</a>`}
            </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([matter, name, tell]) => html`<tr>
            <th scope="row">${name}</th>
            ${columns.map((each) => html`<td class=${isApart(apart, each, matter) ? "apart" : ""}>
              ${isApart(apart, each, matter) && html`<span class="contested-mark" title=${t("beside.contradicts")}>≠<span class="visually-hidden"> ${t("beside.contradicts")}</span></span> `}${tell(each)}
            </td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const isApart = (apart, report, matter) => apart.get(report.id)?.has(matter) ?? false;

/** A row for each figure that any of the reports tells. */
function figuresOf(reports, reference) {
  const told = new Map(reports.map((each) => [each.id, cells(each)]));
  const keys = [...new Set([...told.values()].flatMap((each) => [...each.keys()]))].sort();
  return keys.map((cell) => {
    const [party, group, outcome] = cell.split("|");
    const name = `${coded("outcome", outcome)}: ${people(reference, { party, group })}`;
    return [cell, name, (each) => figure(told.get(each.id).get(cell))];
  });
}
