/** What became of a report: decisions, revisions, and the steps that grouped its incident. */

import { html } from "../library.js";
import { coded, listed, t } from "../language.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { Source } from "./account.js";

/** A moment as exactly as the service tells it: of monitors it tells the day only. */
const moment = (told) => when(told, Intl.DateTimeFormat().resolvedOptions().timeZone);

/** Decisions, newest first, dissent and what was superseded included. */
export const Reviews = ({ reviews }) => html`<section aria-labelledby="reviews">
  <h3 id="reviews">${t("reviews")}</h3>
  ${reviews.length === 0 && html`<p class="hint">${t("reviews.none")}</p>`}
  <ol class="plain history">
    ${[...reviews].reverse().map(
      (review) => html`<li class=${review.superseded ? "superseded" : ""}>
        <p>
          ${review.status ? html`<${Status} status=${review.status} />` : t("reviews.no_status")}
          ${review.basis && html` · ${coded("basis", review.basis)}`}
          ${review.grade && html` · ${t("grade.is", { grade: review.grade })}`}
          <span class="hint"> ${moment(review.recorded)}</span>
        </p>
        ${!review.applied && html`<p class="proposed">${t("reviews.proposed")}</p>`}
        ${review.superseded && html`<p class="hint">${t("reviews.superseded")}</p>`}
        <p dir="auto">${review.reason}</p>
        ${review.clears.length > 0 && html`<p class="hint">${t("reviews.clears", { doubts: listed(review.clears.map((flag) => coded("flag", flag))) })}</p>`}
        ${review.evidence.length > 0 && html`<ul>${review.evidence.map((source) => html`<li><${Source} source=${source} /></li>`)}</ul>`}
      </li>`,
    )}
  </ol>
</section>`;

const SAID = ["when", "where", "claimant", "attributed_to", "stance", "weapons", "casualties", "summary", "sources"];

/** Revisions, newest first, each with what it changed of what the report says. */
export function Revisions({ revisions }) {
  const changed = revisions.map((revision, place) => {
    const former = revisions[place - 1];
    const names = former ? [...SAID, "status", "grade", "incident"] : [];
    return names.filter((name) => JSON.stringify(revision[name]) !== JSON.stringify(former[name]));
  });
  return html`<section aria-labelledby="revisions">
    <h3 id="revisions">${t("revisions")}</h3>
    <ol class="plain history" reversed>
      ${revisions
        .map((revision, place) => ({ revision, names: changed[place] }))
        .reverse()
        .map(
          ({ revision, names }) => html`<li>
            <p>
              ${t("revisions.number", { number: revision.revision })}
              <span class="hint"> ${moment(revision.recorded)}</span>
              ${names.length > 0 && html` · ${t("revisions.changed", { fields: listed(names.map((name) => t(`fact.${name}`))) })}`}
            </p>
            ${revision.change && html`<p dir="auto">${revision.change}</p>`}
          </li>`,
        )}
    </ol>
  </section>`;
}

/** Steps of grouping, newest first; `undo` is called with the one to be undone. */
export function Steps({ steps, undo }) {
  if (steps.length === 0) return null;
  return html`<section aria-labelledby="steps">
    <h3 id="steps">${t("steps")}</h3>
    <ol class="plain history">
      ${[...steps].reverse().map(
        (step) => html`<li>
          ${t(`step.${step.action}`)}: ${t("step.reports", { count: Object.keys(step.reports).length })}
          ${step.undone
            ? html` <span class="hint">${t("step.undone")}</span>`
            : html` <button type="button" onClick=${() => undo(step)}>${t("step.undo")}</button>`}
        </li>`,
      )}
    </ol>
  </section>`;
}
