/** What the map cannot show: events that no sector of it holds, and the numbers as a table. */

import { html, useState } from "../library.js";
import { coded, number, t } from "../language.js";
import { Status } from "../statuses.js";
import { titleOf } from "../titles.js";
import { when } from "../when.js";
import { useAnswer } from "./data.js";
import { figure, measured } from "./figures.js";
import { sectorName } from "./labels.js";
import { events, unplaced } from "./map-sectors.js";

const MOST = 12;

const sum = (rows) => rows.reduce((count, row) => count + events(row), 0);

/** Events beside the map, with their number, their figures and, when opened, themselves. */
export function Aside({ unlocated, spanning, view, set, reference }) {
  const some = spanning.filter((row) => events(row) > 0);
  return html`<section class="beside" aria-labelledby="map-beside">
    <h3 id="map-beside">${t("map.beside")}</h3>
    <p data-unlocated=${sum(unlocated)}>${t("map.unlocated", { count: sum(unlocated) })}</p>
    ${unlocated.filter((row) => events(row) > 0).map((row) => html`<${Group} key=${`${row.within}`} title=${sectorName(row.sector, row.within, reference)} row=${row} ...${{ view, set, reference }} />`)}
    ${some.length > 0 &&
    html`<p>${t("map.spanning", { count: sum(some) })}</p>
      ${some.map((row) => html`<${Group} key=${`spanning ${row.sector} ${row.within}`} title=${sectorName(row.sector, row.within, reference)} row=${row} ...${{ view, set, reference }} />`)}`}
  </section>`;
}

function Group({ title, row, view, set, reference }) {
  const [open, setOpen] = useState(false);
  return html`<details class="group" onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${title}: <strong>${t("map.events", { count: events(row) })}</strong>${view.measure !== "incidents" && html`<br />${coded("outcome", view.measure)}: ${figure(measured(row, view.measure))}`}</summary>
    ${open && html`<${Behind} address=${row.incidents_url} ...${{ set, reference }} />`}
  </details>`;
}

function Behind({ address, set, reference }) {
  const { data } = useAnswer(address);
  if (!data) return html`<p class="hint">${t("loading")}</p>`;
  return html`<${Events} items=${data.items.slice(0, MOST)} more=${data.items.length > MOST || data.next} ...${{ set, reference }} />`;
}

/** Events to open. */
export const Events = ({ items, more, set, reference }) => html`<ul class="events">
    ${items.map(
      (item) => html`<li key=${item.id}>
        <button type="button" class="quiet" onClick=${() => set({ incident: item.id })}>${titleOf(item)}</button>
        <span class="hint">${when(item.when, reference.theatre.timezone)} · <${Status} status=${item.status} contested=${item.contested} /></span>
      </li>`,
    )}
  </ul>
  ${more && html`<p class="hint">${t("map.more")}</p>`}`;

/** The numbers of the map. `sectors` are those that are drawn or have a row. */
export function MapTable({ rows, unlocated, spanning, located, total, view, reference }) {
  const [open, setOpen] = useState(false);
  const line = (name, row, key) => html`<tr key=${key} data-row=${key}>
    <th scope="row">${name}</th>
    <td class="number">${row.incidents === null ? t("map.silent.short") : number(events(row))}</td>
    ${view.measure !== "incidents" && html`<td class="number">${row.incidents === null ? t("map.silent.short") : figure(measured(row, view.measure))}</td>`}
    <td class="number">${row.sector && row.sector !== "unlocated" && row.period === "total" && row.incidents !== null ? number(unplaced(row, located.get(row.sector))) : ""}</td>
    <td>${row.coverage ? coded("coverage", row.coverage) : ""}</td>
  </tr>`;
  return html`<details class="behind" onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${t("picture.table")}</summary>
    ${open &&
    html`<div class="scroll" tabindex="0" role="region" aria-label=${t("map.table")}>
      <table>
        <caption>${t("map.table")}</caption>
        <thead><tr>
          <th scope="col">${t("map.sector")}</th>
          <th scope="col" class="number">${t("map.column.events")}</th>
          ${view.measure !== "incidents" && html`<th scope="col" class="number">${coded("outcome", view.measure)}</th>`}
          <th scope="col" class="number">${t("map.column.placeless")}</th>
          <th scope="col">${t("picture.coverage")}</th>
        </tr></thead>
        <tbody>
          ${[...rows.values()].map((row) => line(sectorName(row.sector, null, reference), row, row.sector))}
          ${unlocated.map((row) => line(sectorName(row.sector, row.within, reference), row, `unlocated ${row.within}`))}
          ${spanning.map((row) => line(`${t("spanning")}: ${sectorName(row.sector, row.within, reference)}`, row, `spanning ${row.sector} ${row.within}`))}
          ${line(t("picture.total"), total, "total")}
        </tbody>
      </table>
    </div>`}
  </details>`;
}
