/** The timeline as a table, and as a list of what it names. */

import { html, useState } from "../library.js";
import { coded, named, number, t } from "../language.js";
import { STATUSES } from "../statuses.js";
import { when } from "../when.js";
import { figure } from "./figures.js";
import { bucketName, dated } from "./labels.js";
import { edges } from "./timeline-scale.js";

/** The numbers of the bars. */
export function TimeTable({ on, beside, shown, reference }) {
  const [open, setOpen] = useState(false);
  const all = [...on, ...beside];
  const statuses = STATUSES.filter((status) => all.some(({ parts }) => parts.some(([each]) => each === status)));
  return html`<details class="behind" onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${t("picture.table")}</summary>
    ${open &&
    html`<div class="scroll" tabindex="0" role="region" aria-label=${t("timeline.table")}>
      <table>
        <caption>${t("timeline.table")}</caption>
        <thead><tr>
          <th scope="col">${coded("grain", shown.grain)}</th>
          ${statuses.map((status) => html`<th scope="col" class="number" key=${status}>${coded("status", status)}</th>`)}
          <th scope="col" class="number">${t("picture.total")}</th>
          <th scope="col">${t("picture.coverage")}</th>
        </tr></thead>
        <tbody>
          ${all.map(
            (bucket) => html`<tr key=${bucket.id} data-row=${bucket.id}>
              <th scope="row">${bucketName(bucket.id, shown.grain, reference)}</th>
              ${statuses.map((status) => html`<td class="number" key=${status}>${countOf(bucket, status)}</td>`)}
              <td class="number">${bucket.kind === "silent" ? t("map.silent.short") : figure(bucket.range)}</td>
              <td>${bucket.coverage ? coded("coverage", bucket.coverage) : ""}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`}
  </details>`;
}

function countOf({ parts }, status) {
  const found = parts.find(([each]) => each === status);
  return found ? number(found[1]) : "";
}

/** Named periods and agreements of a span, for names that have no room in the picture. */
export function Dates({ first, last, reference }) {
  const periods = [...reference.periods.values()].filter(({ start, end }) => end >= first && start <= last);
  const agreements = [...reference.agreements.values()].filter(({ date }) => {
    const span = edges(date);
    return (span.first ?? span.last ?? "") <= last && (span.last ?? last) >= first;
  });
  if (periods.length + agreements.length === 0) return null;
  return html`<details class="behind">
    <summary>${t("timeline.dates")}</summary>
    ${periods.length > 0 && html`<h3>${t("timeline.periods")}</h3>
      <ul>${periods.map((each) => html`<li key=${each.id}>${named(each)}: ${dated(each.start)} – ${dated(each.end)}</li>`)}</ul>`}
    ${agreements.length > 0 && html`<h3>${t("timeline.agreements")}</h3>
      <ul>${agreements.map((each) => html`<li key=${each.id}>${named(each)}: ${when(each.date)}</li>`)}</ul>`}
  </details>`;
}
