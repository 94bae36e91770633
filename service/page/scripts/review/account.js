/** A report as a reviewer reads it: everything it says, and every doubt about it in words. */

import { html, useContext } from "../library.js";
import { coded, t } from "../language.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { Reference, nameOf } from "./reference.js";
import { OUTCOMES, figure, people, precisionOf, weaponsOf, whenOf, whereOf } from "./telling.js";

/** All that a report says of an event, of whom it has it and who may see it. */
export function Account({ report }) {
  const reference = useContext(Reference);
  const { where } = report;
  return html`
    <${Doubts} report=${report} />
    ${report.summary && html`<blockquote class="summary" dir="auto">${report.summary}</blockquote>`}
    <${Casualties} report=${report} />
    <dl class="facts">
      <${Fact} name=${t("fact.when")}>
        ${whenOf(report)} <span class="hint">${t(`known.${report.precision}`)}${report.timezone && ` · ${report.timezone}`}</span>
      <//>
      <${Fact} name=${t("fact.where")}>
        ${whereOf(reference, where)} <span class="hint">${t("where.known", { precision: precisionOf(where) })}</span>
        ${where.sector && (where.place_id || where.place) && html`<br />${t("where.sector", { sector: nameOf(reference, "sectors", where.sector) })}`}
        ${where.lat !== null && html`<br /><span class="hint">${t("where.point", { lat: where.lat, lon: where.lon })}</span>`}
        ${where.as_written && html`<br /><q dir="auto">${where.as_written}</q>`}
      <//>
      <${Fact} name=${t("fact.claimant")}>
        ${nameOf(reference, "claimants", report.claimant)} <${Voice} claimant=${report.claimant} />
      <//>
      <${Fact} name=${t("fact.stance")}>${coded("stance", report.stance)} <${About} about=${report.about} /><//>
      <${Fact} name=${t("fact.attributed_to")}>${report.attributed_to ? nameOf(reference, "parties", report.attributed_to) : t("unstated")}<//>
      <${Fact} name=${t("fact.weapons")}>${weaponsOf(reference, report.weapons)}<//>
      <${Fact} name=${t("fact.reported")}>${when(report.reported)}<//>
      <${Fact} name=${t("fact.received")}>${when(report.received)}<//>
      <${Fact} name=${t("fact.shown")}><${Shown} disclosure=${report.disclosure} /><//>
    </dl>
    <${Sources} report=${report} />
  `;
}

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

/** For whom a claimant speaks, where the theatre knows. */
function Voice({ claimant }) {
  const reference = useContext(Reference);
  const known = reference.claimants.get(claimant);
  if (!known) return html`<span class="hint">${t("claimant.unknown")}</span>`;
  const side = known.party
    ? t("claimant.for", { party: nameOf(reference, "parties", known.party) })
    : t("claimant.for_none");
  return html`<span class="hint">${coded("kind", known.kind)}, ${side}</span>`;
}

function About({ about }) {
  if (!about) return null;
  const what = about.report
    ? html`<a href=${`?report=${about.report}`}>${t("about.report")}</a>`
    : html`<a href=${`/v1/incidents/${about.incident}`}>${t("about.incident")}</a>`;
  return html`${what} ${about.outcomes?.length > 0 && `(${about.outcomes.map((each) => coded("outcome", each)).join(", ")})`}`;
}

function Shown({ disclosure }) {
  return html`${t(`visibility.${disclosure.visibility}`)}, ${t(`shown.${disclosure.place}`)}
  ${disclosure.embargo && html`<br />${t("shown.embargo", { until: when(disclosure.embargo) })}`}`;
}

/** Doubts in words; those that a reviewer cleared stay readable. */
function Doubts({ report }) {
  if (report.flags.length === 0 && report.cleared.length === 0) return null;
  return html`<section class="doubts" aria-labelledby="doubts">
    <h3 id="doubts">${t("doubts")}</h3>
    <ul>
      ${report.flags.map((flag) => html`<li class="open"><span aria-hidden="true">⚑</span> ${coded("flag", flag)}${flag === "unmapped" && ` (${report.unmapped.join(", ")})`}</li>`)}
      ${report.cleared.map((flag) => html`<li class="cleared"><span aria-hidden="true">✓</span> ${t("doubts.cleared", { doubt: coded("flag", flag) })}</li>`)}
    </ul>
  </section>`;
}

function Casualties({ report }) {
  const reference = useContext(Reference);
  const told = OUTCOMES.filter((outcome) => report.casualties.some((line) => line[outcome]));
  if (told.length === 0) return html`<p class="hint">${t("casualties.none")}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("casualties")}>
    <table>
      <caption>${t("casualties")}</caption>
      <thead>
        <tr>
          <th scope="col">${t("casualties.of")}</th>
          ${told.map((outcome) => html`<th scope="col" class="number">${coded("outcome", outcome)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${report.casualties.map(
          (line) => html`<tr>
            <th scope="row">${people(reference, line)}</th>
            ${told.map((outcome) => html`<td class="number">${figure(line[outcome])}<${Words} told=${line[outcome]} /></td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const Words = ({ told }) =>
  told?.words && told.words !== String(told.low) ? html`<br /><q class="hint" dir="auto">${told.words}</q>` : null;

function Sources({ report }) {
  return html`<section aria-labelledby="sources">
    <h3 id="sources">${t("sources")}</h3>
    ${report.sources.length === 0 && html`<p class="hint">${t("sources.none")}</p>`}
    <ul class="plain">
      ${report.sources.map((source) => html`<li><${Source} source=${source} /></li>`)}
    </ul>
    ${report.origin && html`<p class="hint">${t("origin", { source: report.origin.source, key: report.origin.key ?? "–", licence: report.origin.licence ?? "–" })}</p>`}
  </section>`;
}

/** A document: its title, linked where it is of the web, and what else is known of it. */
export function Source({ source }) {
  const web = /^https?:\/\//.test(source.url ?? "");
  const more = [source.publisher, source.published && when(source.published), source.locator].filter(Boolean);
  return html`<span>
      ${web ? html`<a href=${source.url} rel="noreferrer noopener" target="_blank"><bdi>${source.title}</bdi><span class="visually-hidden"> ${t("sources.opens")}</span></a>` : html`<cite>${source.title}</cite>`}
    </span>
    ${more.length > 0 && html`<span class="hint"> ${more.map((each, at) => html`${at > 0 && ", "}<bdi>${each}</bdi>`)}</span>`}
    ${source.sha256 && html`<br /><code class="hash">SHA-256 ${source.sha256}</code>`}`;
}

/** A status with its basis, grade and what is still missing for it. */
export function Standing({ report }) {
  return html`<p class="standing">
    <${Status} status=${report.status} />
    ${report.basis && html`<span>${coded("basis", report.basis)}</span>`}
    ${report.grade && html`<span>${t("grade.is", { grade: report.grade })}</span>`}
    ${!report.counted && html`<span class="uncounted">${t("uncounted")}${report.reason && ` – ${report.reason}`}</span>`}
    ${isProposed(report) && html`<strong class="proposed">${t("proposed")}</strong>`}
  </p>`;
}

/** Whether a first reviewer would verify what a report says now, and a second one is needed. */
export function isProposed(report) {
  const decided = report.reviews.filter((each) => each.status !== null && !each.superseded);
  return decided.length > 0 && decided.at(-1).applied === false;
}
