/** Statements in time: who said it, when it came, what was changed and what was decided. */

import { html, useEffect, useState } from "../library.js";
import { coded, t } from "../language.js";
import { ask } from "../service.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { OUTCOMES, lastDay } from "./matrix-cells.js";
import { About } from "./matrix-claims.js";
import { figure } from "./figures.js";
import { nameOf, whereOf, whom } from "./matrix-words.js";

/** A timeline of all claims, those that do not count included. */
export function History({ claims, reference, naming }) {
  const revisions = useRevisions(claims);
  const entries = claims.flatMap((claim) => entriesOf(claim, revisions[claim.id] ?? [], reference.theatre.timezone));
  entries.sort((a, b) => lastDay(a.date).localeCompare(lastDay(b.date)) || a.revision - b.revision);
  return html`<section class="history">
    <h3>${t("matrix.history")}</h3>
    <ol>
      ${entries.map(
        (entry) => html`<li key=${entry.key} class=${entry.kind}>
          <span class="date">${when(entry.date)}</span>
          <div><${Entry} ...${entry} all=${claims} reference=${reference} naming=${naming} /></div>
        </li>`,
      )}
    </ol>
  </section>`;
}

/** The revisions of the claims that have more than one, by claim; those after this one are left out. */
function useRevisions(claims) {
  const [revisions, setRevisions] = useState({});
  const changed = claims.filter((claim) => claim.revision > 1);
  useEffect(() => {
    let wanted = true;
    for (const claim of changed) {
      ask(`/v1/reports/${claim.id}/revisions`)
        .then(({ items }) => {
          const shown = items.filter((each) => each.revision <= claim.revision);
          if (wanted) setRevisions((before) => ({ ...before, [claim.id]: shown }));
        })
        .catch(() => {});
    }
    return () => {
      wanted = false;
    };
  }, [changed.map((claim) => `${claim.id} ${claim.revision}`).join()]);
  return revisions;
}

function entriesOf(claim, revisions, zone) {
  const first = revisions[0] ?? claim;
  const said = { kind: claim.stance, key: claim.id, date: first.reported, revision: 0, claim: first, now: claim };
  const changes = revisions.slice(1).flatMap((after, index) => {
    const before = revisions[index];
    const fields = changedFields(before, after);
    if (!fields.length) return [];
    return [{ kind: "changed", key: `${claim.id} ${after.revision}`, date: after.recorded, revision: after.revision, claim, before, after, fields }];
  });
  const decisions = claim.reviews.map((review) => ({
    ...{ kind: "decided", key: `${claim.id} ${review.id}`, date: dayOf(review.recorded, zone) },
    // A decision about one revision makes the next one.
    ...{ revision: review.revision + 1, claim, review },
  }));
  return [said, ...changes, ...decisions];
}

/** The day of an instant in a time zone: nothing else here is told more finely. */
const dayOf = (instant, timeZone) =>
  new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));

const FIELDS = ["when", "where", "casualties", "weapons", "attributed_to", "summary", "claimant", "stance", "sources", "withdrawn"];

/** What a change touches of what is said; decisions stand apart. */
function changedFields(before, after) {
  return FIELDS.filter((field) =>
    field === "withdrawn"
      ? after.status === "withdrawn" && before.status !== "withdrawn"
      : JSON.stringify(before[field]) !== JSON.stringify(after[field]),
  );
}

function Entry({ kind, ...entry }) {
  if (kind === "changed") return html`<${Changed} ...${entry} />`;
  if (kind === "decided") return html`<${Decided} ...${entry} />`;
  return html`<${Statement} ...${entry} />`;
}

function Statement({ claim, now, all, reference }) {
  const gone = ["withdrawn", "refuted"].includes(now.status);
  const told = html`<strong>${nameOf(reference, "claimants", claim.claimant)}</strong> ${coded("stance", claim.stance)}
    ${claim.about && html` <span>(<${About} about=${claim.about} all=${all} reference=${reference} />)</span>`}
    ${claim.casualties.length > 0 && html`<span>: ${figuresOf(claim, reference)}</span>`}`;
  return html`<p>${gone ? html`<s>${told}</s> <${Status} status=${now.status} />` : told}</p>
    ${claim.summary && html`<p class="words" dir="auto">${gone ? html`<s>${claim.summary}</s>` : claim.summary}</p>`}
    <p class="hint">${t("matrix.received", { when: when(claim.received) })}</p>`;
}

function Changed({ claim, before, after, fields, reference, naming }) {
  const shown = { when: (of) => when(of.when), where: (of) => whereOf(reference, of.where, naming), casualties: (of) => figuresOf(of, reference) };
  const claimant = nameOf(reference, "claimants", claim.claimant);
  const said = fields.filter((field) => field !== "withdrawn");
  const words = said.map((field) => t(`matrix.field.${field}`));
  return html`${words.length > 0 && html`<p>${t("matrix.changed", { claimant, fields: words.join(", ") })}</p>`}
    ${fields.length > said.length && html`<p>${t("matrix.withdrew", { claimant })}</p>`}
    ${fields
      .filter((field) => field in shown)
      .map((field) => html`<p key=${field}>${t(`matrix.field.${field}`)}: <s>${shown[field](before)}</s> → ${shown[field](after)}</p>`)}
    ${after.change && html`<q>${after.change}</q>`}`;
}

function Decided({ claim, review, reference }) {
  const claimant = nameOf(reference, "claimants", claim.claimant);
  return html`<p>
      ${t(review.applied ? "matrix.decided" : "matrix.proposed", { claimant })}
      ${review.status && html` <${Status} status=${review.status} />`}
      ${review.basis && html` (${coded("basis", review.basis)})`}
      ${review.superseded && html` <em>${t("matrix.superseded")}</em>`}
    </p>
    ${review.clears.length > 0 && html`<p class="hint">${t("matrix.clears", { flags: review.clears.map((flag) => coded("flag", flag)).join("; ") })}</p>`}
    <q>${review.reason}</q>`;
}

/** The figures of one claim in a line. */
export function figuresOf(claim, reference) {
  return claim.casualties
    .flatMap((line) =>
      OUTCOMES.filter((outcome) => outcome in line).map(
        (outcome) => `${coded("outcome", outcome)} (${whom(reference, line)}) ${figure(line[outcome])}`,
      ),
    )
    .join("; ");
}
