/** Claims that do not count: shown apart, struck through, with the reason. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { Documents } from "./matrix-sources.js";
import { figuresOf } from "./matrix-history.js";
import { nameOf, whereOf } from "./matrix-words.js";

/** Claims that were withdrawn, refuted, found unverifiable or set aside. */
export const Aside = ({ claims, reference, naming }) => html`<section class="aside">
  <h3>${t("matrix.aside", { count: claims.length })}</h3>
  <p class="hint">${t("matrix.aside.rule")}</p>
  <ul>${claims.map((claim) => html`<li key=${claim.id}><${Claim} claim=${claim} reference=${reference} naming=${naming} /></li>`)}</ul>
</section>`;

function Claim({ claim, reference, naming }) {
  const decision = claim.reviews.findLast((each) => each.applied && !each.superseded && each.status);
  return html`<p><strong>${nameOf(reference, "claimants", claim.claimant)}</strong> <${Status} status=${claim.status} />
      ${claim.basis && html`<span class="hint">${t("matrix.basis", { basis: coded("basis", claim.basis) })}</span>`}</p>
    <p>${t(claim.counted ? `matrix.aside.${claim.status}` : "matrix.aside.uncounted")}${claim.reason && ` ${claim.reason}`}</p>
    ${decision && html`<q>${decision.reason}</q>`}
    <p><s>${when(claim.when, reference.theatre.timezone)} · ${whereOf(reference, claim.where, naming)}${claim.casualties.length > 0 && ` · ${figuresOf(claim, reference)}`}</s></p>
    ${claim.summary && html`<p class="words" dir="auto"><s>${claim.summary}</s></p>`}
    ${claim.sources.length > 0 && html`<${Documents} value=${claim.sources} />`}
    <p class="hint">${t("matrix.said", { when: when(claim.reported) })}</p>`;
}
