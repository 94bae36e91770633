/** What may be said of all that is asked for, with how much of it is verified and contested. */

import { html, useRef } from "../library.js";
import { coded, number, t } from "../language.js";
import { STATUSES, Status } from "../statuses.js";
import { useAnswer } from "./data.js";
import { figure, measured, remarks } from "./figures.js";
import { Refused } from "./fields.js";
import { MEASURES, link, sums } from "./state.js";

/** Whose figures are told: those of the measure or, where events are counted, the gravest there is a figure of. */
function told(view, row) {
  if (view.measure !== "incidents") return view.measure;
  return GRAVEST_FIRST.find((outcome) => (row.figures[outcome].low ?? null) !== null) ?? GRAVEST_FIRST[0];
}

const [, ...GRAVEST_FIRST] = MEASURES;
const RANGE = { low: 500, best: 500, high: null, open: 5, unknown: 5 };
const ROW = { incidents: 50, episodes: 5, figures: Object.fromEntries(MEASURES.map((each) => [each, RANGE])) };
/** As long as such answers are: what is still to come keeps the room that it will need. */
const AWAITED = {
  whole: { total: ROW, cells: STATUSES.slice(0, 3).map((status) => ({ ...ROW, status })) },
  verified: { total: ROW },
  contested: { total: ROW },
};

/** The sentence, and the statuses to choose from. All of it answers the same question. */
export function Headline({ filters, view, set, reference }) {
  const asked = (more) => sums(filters, reference.periods, { period: "total", ...more });
  const whole = useAnswer("/v1/aggregates", asked({ by: "status" }));
  const verified = useAnswer(filters.status ? null : "/v1/aggregates", asked({ by: [], status: "verified" }));
  const contested = useAnswer(filters.contested ? null : "/v1/aggregates", asked({ by: [], contested: "true" }));
  const loading = [whole, verified, contested].some((each) => each.loading);
  const latest = useRef(null);
  if (!loading) latest.current = { filters, whole: whole.data, verified: verified.data, contested: contested.data };
  if (whole.problem) return html`<div class="headline"><${Refused} problem=${whole.problem} /></div>`;
  const content = (answers) => html`<${Summary} ...${{ filters, view, ...answers }} /><${Statuses} cells=${answers.whole.cells} filters=${filters} set=${set} />`;
  if (!latest.current?.whole) return html`<div class="headline awaited" aria-busy="true"><p>${t("loading")}</p><div>${content(AWAITED)}</div></div>`;
  return html`<div class="headline" aria-live="polite" aria-busy=${String(loading)}>${content(latest.current)}</div>`;
}

function Summary({ filters, view, whole, verified, contested }) {
  const row = whole.total;
  return html`<p class="sentence">
    ${row.incidents === null ? t("headline.nothing") : html`<${Sentence} row=${row} outcome=${told(view, row)} />`}${" "}
    ${row.incidents !== null && !filters.status && verified && html`<${Verified} row=${verified.total} outcome=${told(view, verified.total)} />`}${" "}
    ${row.incidents !== null && !filters.contested && contested && html`<span>${contestedIn(events(contested.total))}</span>`}${" "}
    ${filters.status && html`<span>${t("headline.only", { status: coded("status", filters.status) })}</span>`}
  </p>`;
}

const events = (row) => (row.incidents ?? 0) + (row.episodes ?? 0);

const contestedIn = (count) => (count === 0 ? t("headline.uncontested") : t("headline.contested", { count }));

function Sentence({ row, outcome }) {
  const sum = row.figures[outcome];
  const said = remarks(sum);
  return html`<strong>${t("headline.incidents", { count: row.incidents })}</strong
    >${row.episodes > 0 && html`, ${t("headline.episodes", { count: row.episodes })}`}.${" "}
    <span>${t(`headline.${outcome}`)}${" "}<strong>${figure(sum)}</strong>${said.length > 0 && html` <span class="remark">(${said.join("; ")})</span>`}.</span>`;
}

function Verified({ row, outcome }) {
  const count = events(row);
  if (count === 0) return html`<span>${t("headline.unverified")}</span>`;
  return html`<span>${t("headline.verified", { count })}${" "}${t("headline.of", { outcome: t(`outcome.${outcome}`), figure: figure(measured(row, outcome)) })}</span>`;
}

/** How many events have each status; a click asks for them alone. */
function Statuses({ cells, filters, set }) {
  const counts = Map.groupBy(cells, (cell) => cell.status);
  const present = STATUSES.map((status) => [status, (counts.get(status) ?? []).reduce((sum, cell) => sum + events(cell), 0)]);
  return html`<ul class="statuses" aria-label=${t("headline.statuses")}>
    ${present
      .filter(([status, count]) => count > 0 || status === "verified")
      .map(([status, count]) => {
        const chosen = filters.status === status;
        const changes = { status: chosen ? "" : status };
        return html`<li key=${status}>
          <a class="tally" href=${link(location.search, changes)} aria-current=${chosen ? "true" : undefined} onClick=${following(set, changes)}>
            <strong>${number(count)}</strong> <${Status} status=${status} />
          </a>
        </li>`;
      })}
  </ul>`;
}

/** Follows a link within the page, unless another tab or window is meant. */
export const following = (set, changes, then) => (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0) return;
  event.preventDefault();
  set(changes);
  then?.();
};
