/** What an incident is part of and what is part of it, and how they are counted once. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { Status } from "../statuses.js";
import { when } from "../when.js";
import { useAnswer } from "./data.js";
import { figure } from "./figures.js";
import { OUTCOMES } from "./matrix-cells.js";
import { Opening } from "./incidents-opening.js";

const SUMMED = OUTCOMES.filter((outcome) => outcome !== "displaced");
const LARGEST_PAGE = "500";

/** The incident around this one. */
export function PartOf({ incident, filters, set }) {
  const { data } = useAnswer(`/v1/incidents/${incident.part_of}`, { as_of: filters.as_of });
  if (!data) return null;
  return html`<p class="part-of">${t("matrix.part_of")} <${Opening} incident=${data} set=${set} /> (${when(data.when)})</p>`;
}

/** The parts of an incident with what each is counted for, and what is left for the whole. */
export function Parts({ incident, filters, set, reference }) {
  const { data } = useAnswer("/v1/incidents", {
    ...{ from: incident.start, to: incident.end, as_of: filters.as_of },
    ...{ order: "oldest", limit: LARGEST_PAGE },
  });
  const known = new Map((data?.items ?? []).map((each) => [each.id, each]));
  const parts = incident.parts.map((part) => known.get(part.id) ?? part);
  return html`<section class="parts">
    <h3>${t("matrix.parts", { count: parts.length })}</h3>
    <p>${t("matrix.parts.rule")}</p>
    ${data && html`<${Remainders} incident=${incident} known=${known} />`}
    <ul>
      ${parts.map(
        (part) => html`<li key=${part.id}>
          <${Opening} incident=${part} set=${set} />
          ${part.when && html`<${Part} part=${part} reference=${reference} />`}
        </li>`,
      )}
    </ul>
  </section>`;
}

function Part({ part, reference }) {
  const told = OUTCOMES.filter((outcome) => part.figures[outcome]).map((outcome) => `${coded("outcome", outcome)} ${figure(part.figures[outcome])}`);
  return html` <span class="hint">${when(part.when, reference.theatre.timezone)} · ${told.join("; ") || t("figure.unknown")}</span>
    <${Status} status=${part.status} contested=${part.contested} />
    ${!part.counted && html`<span class="hint">${part.reason ? t("matrix.uncounted.reason", { reason: part.reason }) : t("matrix.uncounted")}</span>`}`;
}

/** For each outcome what the whole adds to sums beyond what its parts count. */
function Remainders({ incident, known }) {
  const told = SUMMED.filter((outcome) => incident.counted && incident.figures[outcome]);
  return told.map((outcome) => {
    const below = total(partsOf(incident, known).map((part) => sumOf(part, outcome, known)));
    const whole = incident.figures[outcome];
    const words = { outcome: coded("outcome", outcome), whole: figure(whole) };
    return html`<p key=${outcome}>${below
        ? t("matrix.parts.remainder", { ...words, parts: figure(below), rest: figure(minus(whole, below)) })
        : t("matrix.parts.nothing", words)}</p>`;
  });
}

const partsOf = (incident, known) => incident.parts.map((part) => known.get(part.id)).filter(Boolean);

/** What an incident and all below it count together; null where nobody gave a figure. */
function sumOf(incident, outcome, known) {
  const below = total(partsOf(incident, known).map((part) => sumOf(part, outcome, known)));
  const own = incident.counted ? incident.figures[outcome] : null;
  if (!own) return below;
  return below ? total([minus(own, below), below]) : own;
}

const add = (a, b) => (a === null || b === null ? null : a + b);

const total = (figures) =>
  figures
    .filter(Boolean)
    .reduce((sum, each) => sum ? { low: sum.low + each.low, best: sum.best + each.best, high: add(sum.high, each.high) } : each, null);

/** What is left beyond `other`, bound by bound, never below zero, then put in order (docs/method.md). */
function minus(figure, other) {
  const low = Math.max(figure.low - other.low, 0);
  const best = Math.max(figure.best - other.best, 0);
  const inOrder = (bounds) => bounds.sort((a, b) => a - b);
  if (figure.high === null) {
    const [first, second] = inOrder([low, best]);
    return { low: first, best: second, high: null };
  }
  const high = other.high === null ? 0 : Math.max(figure.high - other.high, 0);
  const [first, second, third] = inOrder([low, best, high]);
  return { low: first, best: second, high: third };
}
