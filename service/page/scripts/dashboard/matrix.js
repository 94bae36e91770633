/** Who says what of one incident: a window over the dashboard with an address of its own. */

import { Dialog } from "../frame.js";
import { html, useEffect, useRef } from "../library.js";
import { t } from "../language.js";
import { Status } from "../statuses.js";
import { titleOf } from "../titles.js";
import { when } from "../when.js";
import { useAnswer, usePlaces } from "./data.js";
import { Aside } from "./matrix-aside.js";
import { cells, columns, counts } from "./matrix-cells.js";
import { Claims } from "./matrix-claims.js";
import { PartOf, Parts } from "./matrix-family.js";
import { Contested, Follows } from "./matrix-follows.js";
import { History } from "./matrix-history.js";
import { Taking } from "./matrix-taking.js";
import { precisionOf, whereOf } from "./matrix-words.js";

/** The window of the incident that the view names. */
export function Matrix({ filters, view, set, reference }) {
  const path = `/v1/incidents/${encodeURIComponent(view.incident)}`;
  const { data, problem, loading } = useAnswer(path, { as_of: filters.as_of });
  const places = usePlaces();
  const top = useRef(null);
  useFocusGivenBack(view.incident);
  useEffect(() => top.current?.closest("dialog").scrollTo(0, 0), [view.incident]);
  const shown = problem ? null : data;
  const close = () => set({ incident: "" });
  return html`<${Dialog} wide title=${shown ? titleOf(shown) : t("matrix.title")} close=${close}>
    <div class="matrix" ref=${top} aria-busy=${loading}>
      ${problem && html`<p class="failed" role="alert">${refusal(problem)}</p>`}
      ${!shown && !problem && html`<p role="status">${t("loading")}</p>`}
      ${shown && html`<${Incident} key=${shown.id} incident=${shown} reference=${{ ...reference, places: places ?? reference.places }} filters=${filters} naming=${view.naming} set=${set} />`}
    </div>
  <//>`;
}

function refusal(problem) {
  if (problem.status === 0) return t("problem.offline");
  if (problem.status === 404 || problem.status === 422) return t("matrix.gone");
  return t(problem.status === 429 ? "problem.limited" : "problem.refused", { detail: problem.message });
}

/** Whoever came by a link was nowhere before: closing leaves them at the incident in the list. */
function useFocusGivenBack(incident) {
  const latest = useRef(incident);
  latest.current = incident;
  useEffect(
    () => () =>
      setTimeout(() => {
        if (document.activeElement !== document.body) return;
        const opening = document.querySelector(`main .opening[data-incident="${CSS.escape(latest.current)}"]`);
        (opening ?? document.getElementById("main")).focus();
      }),
    [],
  );
}

function Incident({ incident, reference, filters, naming, set }) {
  const counting = incident.claims.filter(counts);
  const aside = incident.claims.filter((claim) => !counts(claim));
  const side = columns(counting);
  const told = cells(counting);
  const where = { sector: incident.sector, precision: incident.point?.precision };
  return html`<div class="facts">
      <p><${Status} status=${incident.status} contested=${incident.contested} />
        <span>${when(incident.when, reference.theatre.timezone)}</span>
        <span>${whereOf(reference, where, naming)} <span class="hint">(${precisionOf(reference, where)})</span></span>
        <span>${t("matrix.accounts", { count: counting.length })}, ${t("matrix.claimants", { count: side.length })}</span></p>
      ${filters.as_of && html`<p class="hint">${t("matrix.as_of", { moment: filters.as_of })}</p>`}
      ${incident.part_of && html`<${PartOf} incident=${incident} filters=${filters} set=${set} />`}
      ${incident.possible_duplicate && html`<p class="hint">⚑ ${t("flag.possible_duplicate")}</p>`}
      <p class="hint">${t("matrix.rule")}</p>
    </div>
    ${side.length > 0 && html`<${Claims} side=${side} told=${told} reference=${reference} naming=${naming} all=${incident.claims} />`}
    <div class="below">
      <${Follows} incident=${incident} side=${side} told=${told} reference=${reference} />
      ${incident.contested && html`<${Contested} side=${side} told=${told} reference=${reference} />`}
      ${aside.length > 0 && html`<${Aside} claims=${aside} reference=${reference} naming=${naming} />`}
      ${incident.parts.length > 0 && html`<${Parts} incident=${incident} filters=${filters} set=${set} reference=${reference} />`}
      <${History} claims=${incident.claims} reference=${reference} naming=${naming} />
      ${incident.note && html`<section><h3>${t("matrix.note")}</h3><p dir="auto">${incident.note}</p></section>`}
    </div>
    <${Taking} incident=${incident} asOf=${filters.as_of} />`;
}
