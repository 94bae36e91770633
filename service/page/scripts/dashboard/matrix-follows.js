/** What follows from the claims: the incident's own figures, and how they were made. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { Status } from "../statuses.js";
import { OUTCOMES, contradictions, made, telling } from "./matrix-cells.js";
import { figure } from "./figures.js";
import { claimantsOf, nameOf, whom } from "./matrix-words.js";

/** The figures of an incident as the service reconciled them, a sentence or two for each outcome. */
export function Follows({ incident, side, told, reference }) {
  const known = OUTCOMES.filter((outcome) => incident.figures[outcome]);
  const silent = OUTCOMES.filter((outcome) => !incident.figures[outcome]);
  return html`<section class="follows">
    <h3>${t("matrix.follows")}</h3>
    ${!incident.counted && html`<p class="failed">${incident.reason ? t("matrix.uncounted.reason", { reason: incident.reason }) : t("matrix.uncounted")}</p>`}
    ${known.length > 0 &&
    html`<dl>${known.map((outcome) => html`<${Outcome} key=${outcome} outcome=${outcome} incident=${incident} parts=${made(side, told, outcome)} reference=${reference} />`)}</dl>`}
    ${silent.length > 0 && html`<p class="hint">${t("matrix.follows.silent", { outcomes: silent.map((each) => coded("outcome", each)).join(", ") })}</p>`}
  </section>`;
}

function Outcome({ outcome, incident, parts, reference }) {
  const { status, ...given } = incident.figures[outcome];
  const byParty = Object.entries(incident.by_party).filter(([, figures]) => figures[outcome]);
  const open = parts.filter((part) => part.figure.high === null).map((part) => whom(reference, part.cell));
  return html`<dt>${coded("outcome", outcome)}</dt>
    <dd>
      <p><strong class="figure">${figure(given)}</strong> <${Status} status=${status} /></p>
      <p>${t(parts.length > 1 ? "matrix.follows.several" : "matrix.follows.one", { parts: parts.map((part) => partOf(part, reference)).join("; ") })}</p>
      ${given.best !== given.low && html`<p>${t("matrix.follows.best", { best: given.best })}</p>`}
      ${parts.length > 1 && open.length > 0 && html`<p>${t("matrix.follows.open", { whom: open.join("; ") })}</p>`}
      ${parts.length > 1 && byParty.length > 0 && html`<p>${t("matrix.follows.by_party", { figures: byParty.map(([party, figures]) => `${nameOf(reference, "parties", party)}: ${figure(figures[outcome])}`).join("; ") })}</p>`}
      <p class="hint">${t(parts.length > 1 ? "matrix.follows.weakest" : "matrix.follows.strongest", { status: coded("status", status) })}</p>
    </dd>`;
}

const partOf = (part, reference) =>
  t(part.columns.length > 1 ? "matrix.follows.part.several" : "matrix.follows.part.one", {
    whom: whom(reference, part.cell),
    figure: figure({ ...part.figure, best: part.figure.low }),
    claimants: claimantsOf(reference, part.columns),
  });

/** Why an incident is contested, a sentence for each disagreement. */
export function Contested({ side, told, reference }) {
  const { denials, blames, figures } = contradictions(side, told);
  const name = (column) => nameOf(reference, "claimants", column.claimant);
  const sentences = [
    ...denials.map((column) => t("matrix.contested.denial", { claimant: name(column) })),
    ...(blames.length
      ? [t("matrix.contested.blames", { blames: blames.map(({ column, party }) => t("matrix.contested.blame", { claimant: name(column), party: nameOf(reference, "parties", party) })).join("; ") })]
      : []),
    ...figures.map(({ cell, told: apart }) =>
      t("matrix.contested.figures", {
        ...{ outcome: coded("outcome", cell.outcome), whom: whom(reference, cell) },
        told: apart.map((each) => `${name(each.column)}: ${figure(telling(each.column, cell).figure)}`).join("; "),
      }),
    ),
  ];
  if (!sentences.length) sentences.push(t("matrix.contested.bounds"));
  return html`<section class="contested">
    <h3><span class="contested-mark">≠ ${t("status.contested")}</span></h3>
    <ul>${sentences.map((sentence) => html`<li key=${sentence}>${sentence}</li>`)}</ul>
    <p class="hint">${t("matrix.contested.judge")}</p>
  </section>`;
}
