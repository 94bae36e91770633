/** The table: sums by period and sector as ranges, and silence as silence. */

import { html, useState } from "../library.js";
import { number, t } from "../language.js";
import { address } from "../service.js";
import { useAnswer } from "./data.js";
import { Downloads } from "./downloads.js";
import { Refused } from "./fields.js";
import { added, figure, measured, remarks } from "./figures.js";
import { following } from "./headline.js";
import { bucketName, sectorName, tree } from "./labels.js";
import { depth, link, sums } from "./state.js";

/** Rows shown before more are asked for. */
const MOST = 60;
/** Days for which a table has a row for each day or week, also where nothing is recorded. */
const LONGEST = 1100;

/** Whether each day or week gets its row: of a span without end there would be too many. */
function dense(asked, grain) {
  if (grain !== "day" && grain !== "week") return true;
  return asked.from && asked.to && Date.parse(asked.to) - Date.parse(asked.from) < LONGEST * 86_400_000;
}

const columnOf = (cell) => `${cell.sector} ${cell.within ?? ""}`;

/**
 * Columns in the order of the tree of sectors, what is in none behind them, and rows in the order of
 * the answer: `{columns, rows: [{period, cells: Map}]}`.
 */
function crossed(cells, periods, sectors) {
  const order = new Map(tree(sectors).map(({ entry }, index) => [entry.id, index]));
  const place = (column) => order.get(column.sector) ?? order.size + (order.get(column.within) ?? order.size);
  const columns = new Map(cells.map((cell) => [columnOf(cell), cell]));
  const rows = new Map(periods.map((row) => [row.period, { ...row, cells: new Map() }]));
  for (const cell of cells) rows.get(cell.period)?.cells.set(columnOf(cell), cell);
  return { columns: [...columns.values()].sort((a, b) => place(a) - place(b)), rows: [...rows.values()] };
}

/** The table with its key and downloads. */
export function Sums({ filters, view, set, reference }) {
  const grain = view.grain;
  const asked = (more) => sums(filters, reference.periods, { level: depth(filters), ...more });
  const fill = dense(asked(), grain) ? undefined : "none";
  const inCells = asked({ period: grain, fill });
  const cells = useAnswer("/v1/aggregates", inCells);
  const periods = useAnswer("/v1/aggregates", { ...inCells, by: [] });
  const sectors = useAnswer("/v1/aggregates", asked({ period: "total" }));
  const answers = [cells, periods, sectors];
  const problem = answers.find((each) => each.problem)?.problem;
  const there = answers.every((each) => each.data) && cells.data.period === grain;
  return html`<section class="card sums" aria-labelledby="sums-title">
    <h2 id="sums-title">${t("sums.title", { measure: measureName(view.measure) })}</h2>
    <${Refused} problem=${problem} />
    ${there &&
    html`<${Table} view=${{ ...view, grain: cells.data.period }} set=${set} reference=${reference} table=${crossed(cells.data.cells, periods.data.cells, reference.sectors)}
      total=${cells.data.total} ofSectors=${totals(sectors.data.cells)} sparse=${fill === "none"} busy=${answers.some((each) => each.loading)} />`}
    <${Downloads} csv=${address("/v1/aggregates", { ...inCells, format: "csv" })} name="sums" />
  </section>`;
}

export const measureName = (measure) => t(measure === "incidents" ? "measure.incidents" : `outcome.${measure}`);

/** The whole of each column, with what reaches beyond the ends of the time asked for. */
const totals = (cells) => new Map([...Map.groupBy(cells, columnOf)].map(([column, rows]) => [column, added(rows)]));

function Table({ view, set, reference, table, total, ofSectors, sparse, busy }) {
  const [most, setMost] = useState(MOST);
  const { columns, rows } = table;
  const shown = rows.slice(-most);
  const cell = (row, column, period) => html`<${Cell} row=${row} view=${view} set=${set} period=${period} column=${column} />`;
  const chosen = (period, column) => view.bucket === period && view.cell === (column?.sector ?? "") && view.within === (column?.within ?? "");
  return html`<div class="scroll" role="group" aria-labelledby="sums-title" tabindex="0" aria-busy=${String(busy)}>
      <table>
        <thead>
          <tr>
            <th scope="col">${t(`view.grain`)}</th>
            ${columns.map((column) => html`<th scope="col" key=${columnOf(column)}>${sectorName(column.sector, column.within, reference)}</th>`)}
            <th scope="col">${t("sums.all")}</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (row) => html`<tr key=${row.period}>
              <th scope="row">${bucketName(row.period, view.grain, reference)}</th>
              ${columns.map((column) => {
                const found = row.cells.get(columnOf(column));
                return html`<td key=${columnOf(column)} class=${silent(found)} data-chosen=${chosen(row.period, column) ? "true" : undefined}>${found ? cell(found, column, row.period) : html`<${Absent} column=${column} />`}</td>`;
              })}
              <td class=${`all ${silent(row)}`}>${cell(row, null, row.period)}</td>
            </tr>`,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">${t("sums.total")}</th>
            ${columns.map((column) => {
              const found = ofSectors.get(columnOf(column));
              return html`<td key=${columnOf(column)} class=${silent(found)}>${found ? html`<${Value} row=${found} view=${view} />` : ""}</td>`;
            })}
            <td class=${`all ${silent(total)}`}><${Value} row=${total} view=${view} /></td>
          </tr>
        </tfoot>
      </table>
    </div>
    ${most < rows.length && html`<button type="button" onClick=${() => setMost(rows.length)}>${t("sums.more", { count: rows.length - most })}</button>`}
    <${Legend} sparse=${sparse} remainder=${rows.some((row) => row.remainder || [...row.cells.values()].some((each) => each.remainder))} />`;
}

/** How silence is drawn: apart from numbers, by the pattern of its cell. */
const silent = (row) => (row && row.incidents === null ? `silent ${row.coverage ?? ""}` : "");

/** A sector that did not exist then, or a row that holds nothing of what is known to no sector. */
const Absent = ({ column }) => html`<span class="visually-hidden">${t(column.sector === "unlocated" ? "sums.none" : "sums.absent")}</span>`;

/** A number that leads to its incidents. */
function Cell({ row, view, set, period, column }) {
  if (row.incidents === null || row.incidents + row.episodes === 0) return html`<${Value} row=${row} view=${view} />`;
  const changes = { grain: view.grain, bucket: period, cell: column?.sector ?? "", within: column?.within ?? "" };
  const show = () => document.getElementById("incidents")?.scrollIntoView({ block: "start" });
  return html`<a href=${link(location.search, changes)} onClick=${following(set, changes, show)}><${Value} row=${row} view=${view} /></a>`;
}

/** A cell's figure with what it does not say itself: "at least" says already that it is open. */
export function Value({ row, view }) {
  if (row.incidents === null) {
    return html`<span class="quiet-word">${t(row.coverage === "partial" ? "sums.partial" : "sums.unwatched")}</span>`;
  }
  if (view.measure === "incidents") {
    if (row.incidents === 0 && row.episodes > 0) return html`<span class="remark">${t("headline.episodes", { count: row.episodes })}</span>`;
    return html`<span class="value">${number(row.incidents)}</span>
      ${row.episodes > 0 && html`<span class="remark">${t("sums.episodes", { count: row.episodes })}</span>`}`;
  }
  const sum = measured(row, view.measure);
  const between = sum.best !== null && sum.best !== sum.low && sum.best !== sum.high;
  const said = [between && t("figure.best", { best: sum.best }), ...remarks({ ...sum, open: 0 }), row.remainder && t("figure.remainder")].filter(Boolean);
  return html`<span class="value">${figure(sum)}</span>${said.map((text) => html`<span class="remark">${text}</span>`)}`;
}

const Legend = ({ sparse, remainder }) => html`<ul class="legend hint">
  <li><span class="sample silent none" aria-hidden="true"></span> ${t("sums.unwatched.why")}</li>
  <li><span class="sample silent partial" aria-hidden="true"></span> ${t("sums.partial.why")}</li>
  <li>${t("sums.spanning.why")}</li>
  ${remainder && html`<li>${t("sums.remainder.why")}</li>`}
  ${sparse && html`<li>${t("sums.sparse")}</li>`}
</ul>`;
