/** Who says what, a column for each claimant, a row for each thing said. */

import { html } from "../library.js";
import { coded, named, number, t } from "../language.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { COMPARED, agreement, denies, distinct, last, telling } from "./matrix-cells.js";
import { figure } from "./figures.js";
import { Documents, Evidence } from "./matrix-sources.js";
import { Photos } from "./matrix-photos.js";
import { nameOf, whereOf, whom } from "./matrix-words.js";

/** The table of claims: `side` as `columns` of matrix-cells.js, `told` as its `cells`. */
export function Claims({ side, told, reference, naming, all }) {
  const said = { reference, naming, all, side };
  return html`<div class="scroll claims" tabindex="0" role="region" aria-label=${t("matrix.table")}>
    <table>
      <caption>${t("matrix.table")}</caption>
      <thead>
        <tr>
          <th scope="col">${t("matrix.claimant")}</th>
          ${side.map((column) => html`<${Claimant} key=${column.claimant} column=${column} reference=${reference} />`)}
        </tr>
      </thead>
      <tbody>
        <${Row} name="stance" ...${said} of=${(claim) => claim.stance} compared="stances" each=${Stance} />
        <${Row} name="when" ...${said} of=${daysOf} compared="days" each=${When} />
        <${Row} name="where" ...${said} of=${(claim) => claim.where} compared="words" by=${placeOf} each=${Where} />
        ${told.map((cell) => html`<${Figures} key=${`${cell.outcome} ${cell.party} ${cell.group}`} cell=${cell} ...${said} />`)}
        <${Row} name="weapons" ...${said} of=${weaponsOf} compared="words" by=${JSON.stringify} each=${Weapons} />
        <${Row} name="blames" ...${said} of=${(claim) => claim.attributed_to} compared="sides" each=${Blamed} />
        <${Row} name="summary" ...${said} of=${(claim) => claim.summary} each=${Words} />
        <${Row} name="status" ...${said} of=${statusOf} each=${Standing} />
        <${Row} name="sources" silent="matrix.none" ...${said} of=${(claim) => some(claim.sources)} each=${Documents} />
        <${Row} name="evidence" silent="matrix.none" ...${said} of=${(claim) => some(claim.reviews.filter((each) => each.evidence.length))} each=${Evidence} />
        <${Row} name="flags" silent="matrix.none" ...${said} of=${doubtsOf} each=${Doubts} />
        <${Row} name="said" ...${said} of=${saidOf} each=${Said} />
        <${Photos} ...${said} />
      </tbody>
    </table>
  </div>`;
}

const some = (list) => (list.length ? list : null);
const daysOf = ({ when: written, timezone, start, end }) => ({ when: written, timezone, start, end });
const placeOf = (where) => `${where.place_id ?? where.place} ${where.sector}`;
const weaponsOf = (claim) => some(claim.weapons.map(({ weapon, calibre_mm }) => ({ weapon, calibre_mm })));
const statusOf = ({ status, basis, grade, reviews }) => ({
  ...{ status, basis, grade },
  reason: reviews.findLast((each) => each.applied && !each.superseded && each.status)?.reason ?? null,
});
const doubtsOf = ({ flags, cleared, unmapped, possible_duplicates: duplicates }) =>
  flags.length || cleared.length || duplicates.length ? { flags, cleared, unmapped, duplicates } : null;
const saidOf = ({ reported, received, id, disclosure }) => ({ reported, received, id, open: disclosure.visibility === "public" });

const Claimant = ({ column, reference }) => {
  const known = reference.claimants.get(column.claimant);
  return html`<th scope="col">
    <span class="claimant">${known ? named(known) : column.claimant}</span>
    <span class="hint">${known ? coded("kind", known.kind) : t("matrix.claimant.unknown")}</span>
    ${known && html`<span class="hint">${known.party ? t("matrix.speaks_for", { party: nameOf(reference, "parties", known.party) }) : t("matrix.speaks_for_none")}</span>`}
  </th>`;
};

/** How the values of a row stand to one another, in words and by a sign. */
const Agreement = ({ is }) =>
  ["differ", "contested"].includes(is) &&
  html`<span class=${`agreement ${is}`}>${is === "contested" ? "≠" : "~"}\u00a0${t(`matrix.${is}`)}</span>`;

function Row({ name, side, of, by, compared, silent = "matrix.silent", each: Each, ...said }) {
  const values = side.map((column) => distinct(column, of));
  if (!values.some((each) => each.length)) return null;
  const lasting = side.map((column) => last(column, of));
  const keyed = by ? lasting.map((value) => (value === null ? null : by(value))) : lasting;
  const is = compared ? agreement(keyed, COMPARED[compared]) : "alone";
  return html`<tr class=${is}>
    <th scope="row">${t(`matrix.row.${name}`)}<${Agreement} is=${is} /></th>
    ${side.map(
      (column, index) => html`<td key=${column.claimant} class=${values[index].length ? "" : "silent"}>
        ${values[index].length
          ? values[index].map(({ value, claims }, at) => html`<div key=${at}><${Each} value=${value} claims=${claims} ...${said} side=${side} /></div>`)
          : t(silent)}
      </td>`,
    )}
  </tr>`;
}

function Figures({ cell, side, reference }) {
  const tellings = side.map((column) => telling(column, cell));
  const is = agreement(tellings.map((each) => each?.figure ?? null), COMPARED.figures);
  return html`<tr class=${`figures ${is}`}>
    <th scope="row">${coded("outcome", cell.outcome)}<span class="hint">${whom(reference, cell)}</span><${Agreement} is=${is} /></th>
    ${side.map((column, index) => html`<td key=${column.claimant} class=${tellings[index] ? "" : "silent"}>${tellings[index] ? html`<${Telling} telling=${tellings[index]} />` : t(denies(column, cell.outcome) ? "matrix.denied" : "matrix.silent")}</td>`)}
  </tr>`;
}

function Telling({ telling: told }) {
  return html`<strong class="figure">${figure(told.figure)}</strong>
    ${told.figure.low !== null && told.figure.best !== told.figure.low && html`<span class="hint">${t("matrix.best", { best: told.figure.best })}</span>`}
    ${told.figure.words && html`<q>${told.figure.words}</q>`}
    ${told.earlier.map(
      ({ figure: before, claim }) => html`<span key=${claim.id} class="replaced">${t("matrix.earlier", { when: when(claim.reported) })} <s>${figure(before)}</s></span>`,
    )}`;
}

const Stance = ({ value, claims, reference, all }) => html`${coded("stance", value)}
  ${claims.filter((claim) => claim.about).map((claim) => html`<span key=${claim.id} class="hint"><${About} about=${claim.about} all=${all} reference=${reference} /></span>`)}`;

/** What a denial or correction speaks of. */
export function About({ about, all, reference }) {
  const target = about.report && all.find((claim) => claim.id === about.report);
  const what = target ? t("matrix.about.claim", { claimant: nameOf(reference, "claimants", target.claimant) }) : t("matrix.about.event");
  const outcomes = about.outcomes ?? [];
  return outcomes.length ? `${what}: ${outcomes.map((each) => coded("outcome", each)).join(", ")}` : what;
}

const When = ({ value, reference }) =>
  html`${when(value.when, reference.theatre.timezone)}${value.timezone && html`<span class="hint">${value.timezone}</span>`}`;

const Where = ({ value, reference, naming }) => html`${whereOf(reference, value, naming)}
  ${value.precision && html`<span class="hint">${coded("precision", value.precision)}</span>`}
  ${value.as_written && html`<q>${value.as_written}</q>`}`;

const Weapons = ({ value, reference }) =>
  html`<ul>${value.map(({ weapon, calibre_mm: calibre }, at) => html`<li key=${at}>${nameOf(reference, "weapons", weapon)}${calibre && ` ${number(calibre)} ${t("matrix.millimetres")}`}</li>`)}</ul>`;

const Blamed = ({ value, reference }) => html`${nameOf(reference, "parties", value)}`;

const Words = ({ value }) => html`<p class="words" dir="auto">${value}</p>`;

const Standing = ({ value }) => html`<${Status} status=${value.status} />
  ${value.basis && html`<span class="hint">${t("matrix.basis", { basis: coded("basis", value.basis) })}</span>`}
  ${value.reason && html`<q>${value.reason}</q>`}
  ${value.grade && html`<span class="hint"><${Grade} grade=${value.grade} /></span>`}`;

/** An Admiralty grade in words: reliability of the source, credibility of what it says. */
export const Grade = ({ grade }) =>
  html`${t("matrix.grade", { grade, source: t(`grade.${grade[0]}`), information: t(`grade.${grade[1]}`) })}`;

const Doubts = ({ value }) => html`<ul>
  ${value.flags.map((flag) => html`<li key=${flag}>⚑ ${coded("flag", flag)}</li>`)}
  ${value.cleared.map((flag) => html`<li key=${flag}>✓ ${t("matrix.cleared", { flag: coded("flag", flag) })}</li>`)}
</ul>`;

const Said = ({ value }) => html`${t("matrix.said", { when: when(value.reported) })}
  <span class="hint">${t("matrix.received", { when: when(value.received) })}</span>
  ${value.open && html`<a href=${`/v1/reports/${value.id}`}>${t("matrix.as_data")}</a>`}`;
