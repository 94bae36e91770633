/** The draft of a report from a lead: fields to be corrected, each with the words it comes from. */

import { html, useContext } from "../library.js";
import { coded, inOrder, t } from "../language.js";
import { wordsFor } from "./found.js";
import { Reference, nameOf } from "./reference.js";
import { OUTCOMES } from "./telling.js";

/** What the form holds at first, from the draft of the service: all of it text. */
export function beginning(draft) {
  return {
    when: draft.when ?? "",
    place: draft.where?.place ?? "",
    sector: "",
    claimant: draft.claimant ?? "",
    attributed_to: "",
    reported: draft.reported ?? "",
    summary: "",
    visibility: "",
    sources: draft.sources ?? [],
    weapons: (draft.weapons ?? []).map((each) =>
      typeof each === "string" ? { weapon: each, calibre: "" } : { weapon: each.weapon, calibre: String(each.calibre_mm ?? "") },
    ),
    casualties: (draft.casualties ?? []).map((line) => ({
      party: line.party ?? "",
      group: line.group ?? "",
      drafted: line,
      ...Object.fromEntries(OUTCOMES.filter((outcome) => line[outcome] !== undefined).map((outcome) => [outcome, written(line[outcome])])),
    })),
  };
}

/** A count of the service as it is written into a field. */
export function written(count) {
  if (typeof count === "number") return String(count);
  if (count.low === undefined) return count.words;
  if (count.high === undefined || count.high === null) return `${count.low}+`;
  return count.low === count.high ? String(count.low) : `${count.low}–${count.high}`;
}

/** A count as the service takes it: a number, bounds (`2–3`, `5+`), or the words themselves. */
export function count(text) {
  const plain = text.trim();
  if (/^\d+$/.test(plain)) return Number(plain);
  const [, low, high] = /^(\d+)\s*[-–—]\s*(\d+)$/.exec(plain) ?? [];
  if (low) return { low: Number(low), high: Number(high) };
  const [, least] = /^(?:[≥>]=?\s*)?(\d+)\s*\+?$/.exec(plain) ?? [];
  return least ? { low: Number(least) } : { words: plain };
}

/** What was drafted and not touched is sent as it was drafted, the words of the source with it. */
function sent(line, outcome) {
  const drafted = line.drafted?.[outcome];
  return drafted !== undefined && written(drafted) === line[outcome] ? drafted : count(line[outcome]);
}

/** The report that a filled form stands for, as it is sent. */
export function reportOf(draft) {
  const filled = (fields) => Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== "" && text !== undefined));
  const { when, claimant, attributed_to, reported, summary, visibility } = draft;
  return {
    ...filled({ when: when.trim(), claimant: claimant.trim(), attributed_to, reported: reported.trim(), summary: summary.trim() }),
    where: filled({ place: draft.place.trim(), sector: draft.sector }),
    weapons: draft.weapons
      .filter(({ weapon }) => weapon.trim())
      .map(({ weapon, calibre }) => (calibre === "" ? weapon.trim() : { weapon: weapon.trim(), calibre_mm: Number(calibre) })),
    casualties: draft.casualties.map((line) => ({
      ...filled({ party: line.party, group: line.group }),
      ...Object.fromEntries(OUTCOMES.filter((outcome) => line[outcome]?.trim()).map((outcome) => [outcome, sent(line, outcome)])),
    })),
    sources: draft.sources,
    ...(visibility ? { disclosure: { visibility } } : {}),
  };
}

/** One report of a lead; `wrong` is the problem that the service answered, with its fields. */
export function Draft({ draft, place, of, lead, wrong, change, remove }) {
  const reference = useContext(Reference);
  const set = (name) => (event) => change({ ...draft, [name]: event.target.value });
  const from = (kind, is) => wordsFor(lead, kind, is);
  const fault = (name) =>
    (wrong?.errors ?? []).filter(({ field }) => field === `reports.${place}.${name}` || field.startsWith(`reports.${place}.${name}.`) || (of === 1 && field === name));
  const field = (name, more = {}, words = null, faults = fault(name)) => html`<label class="field">
    <span>${t(`draft.${name}`)}</span>
    <input ...${more} value=${draft[name]} onInput=${set(name)} aria-invalid=${faults.length > 0 ? "true" : undefined} />
    <${Below} words=${words} faults=${faults} />
  </label>`;
  const choice = (name, kind) => html`<label class="field">
    <span>${t(`draft.${name}`)}</span>
    <${Choice} kind=${kind} value=${draft[name]} change=${set(name)} />
    <${Below} faults=${fault(name)} />
  </label>`;
  return html`<fieldset>
    ${of > 1 ? html`<legend>${t("draft.number", { number: place + 1 })}</legend>` : html`<legend class="visually-hidden">${t("draft")}</legend>`}
    ${field("when", { required: true, placeholder: "2022-08-03", spellcheck: false }, from("dates", (found) => found.edtf === draft.when))}
    <div class="pair">
      ${field("place", { list: "places-known" }, from("places", (found) => found.place === draft.place), fault("where"))}
      ${choice("sector", "sectors")}
    </div>
    <p class="hint">${draft.place && reference.places.has(draft.place) ? nameOf(reference, "places", draft.place) : t("draft.where.hint")}</p>
    <div class="pair">
      ${field("claimant", { required: true, list: "claimants-known" })}
      ${choice("attributed_to", "parties")}
    </div>
    ${draft.claimant && reference.claimants.has(draft.claimant) && html`<p class="hint">${nameOf(reference, "claimants", draft.claimant)}</p>`}
    <${Weapons} draft=${draft} change=${change} lead=${lead} faults=${fault("weapons")} />
    <${People} draft=${draft} change=${change} lead=${lead} faults=${fault("casualties")} />
    <label class="field"><span>${t("draft.summary")}</span><textarea rows="3" maxlength="20000" value=${draft.summary} onInput=${set("summary")}></textarea><${Below} faults=${fault("summary")} /></label>
    <div class="pair">
      ${field("reported", { spellcheck: false })}
      <label class="field">
        <span>${t("draft.visibility")}</span>
        <select value=${draft.visibility} onChange=${set("visibility")}>
          <option value="" selected=${!draft.visibility}>${t("draft.visibility.key")}</option>
          ${["public", "partners", "restricted"].map((each) => html`<option value=${each} selected=${draft.visibility === each}>${t(`visibility.${each}`)}</option>`)}
        </select>
        <${Below} faults=${fault("disclosure")} />
      </label>
    </div>
    ${of > 1 && html`<button type="button" onClick=${remove}>${t("draft.remove")}</button>`}
    ${place === 0 && html`<${Known} />`}
  </fieldset>`;
}

const Below = ({ words = null, faults }) => html`
  ${words && html`<span class="hint">${t("draft.from", { words })}</span>`}
  ${faults.map(({ message }) => html`<span class="failed">${t("draft.fault", { message })}</span>`)}
`;

/** Codes that may be typed, with their names in the reader's language. */
function Known() {
  const reference = useContext(Reference);
  return ["places", "claimants", "weapons"].map(
    (kind) => html`<datalist id=${`${kind}-known`}>
      ${[...reference[kind].keys()].map((code) => html`<option value=${code}>${nameOf(reference, kind, code)}</option>`)}
    </datalist>`,
  );
}

function Choice({ kind, value, change, label }) {
  const reference = useContext(Reference);
  const codes = inOrder([...reference[kind].keys()], (code) => nameOf(reference, kind, code));
  return html`<select value=${value} onChange=${change} aria-label=${label}>
    <option value="" selected=${!value}>–</option>
    ${codes.map((code) => html`<option value=${code} selected=${code === value}>${nameOf(reference, kind, code)}</option>`)}
  </select>`;
}

function Weapons({ draft, change, lead, faults }) {
  const put = (place, more) => change({ ...draft, weapons: draft.weapons.map((each, i) => (i === place ? { ...each, ...more } : each)) });
  return html`<div class="lines" role="group" aria-label=${t("draft.weapons")}>
    ${draft.weapons.map(
      (each, place) => html`<div class="line">
        <label class="field"><span>${t("draft.weapon")}</span><input list="weapons-known" value=${each.weapon} onInput=${(event) => put(place, { weapon: event.target.value })} />
          <${Below} words=${wordsFor(lead, "weapons", (found) => found.weapon === each.weapon)} faults=${[]} /></label>
        <label class="field narrow"><span>${t("draft.calibre")}</span><input type="number" min="1" max="2000" step="any" value=${each.calibre} onInput=${(event) => put(place, { calibre: event.target.value })} /></label>
        <button type="button" onClick=${() => change({ ...draft, weapons: draft.weapons.filter((_, i) => i !== place) })}>${t("draft.remove")}</button>
      </div>`,
    )}
    <${Below} faults=${faults} />
    <button type="button" onClick=${() => change({ ...draft, weapons: [...draft.weapons, { weapon: "", calibre: "" }] })}>${t("draft.weapon.add")}</button>
  </div>`;
}

function People({ draft, change, lead, faults }) {
  const lines = draft.casualties;
  const put = (place, more) => change({ ...draft, casualties: lines.map((each, i) => (i === place ? { ...each, ...more } : each)) });
  const set = (place, name) => (event) => put(place, { [name]: event.target.value });
  const words = (line, outcome) =>
    line[outcome] ? wordsFor(lead, "counts", (found) => found.outcome === outcome && (found.group ?? "") === line.group && !found.denied) : null;
  return html`<div class="lines" role="group" aria-label=${t("casualties")}>
    ${lines.map(
      (line, place) => html`<fieldset>
        <legend>${t("draft.people", { number: place + 1 })}</legend>
        <div class="pair">
          <label class="field"><span>${t("draft.party")}</span><${Choice} kind="parties" value=${line.party} change=${set(place, "party")} /></label>
          <label class="field"><span>${t("draft.group")}</span>
            <select value=${line.group} onChange=${set(place, "group")}>
              ${["", "military", "civilian"].map((group) => html`<option value=${group} selected=${group === line.group}>${coded("group", group)}</option>`)}
            </select>
          </label>
        </div>
        <div class="counts">
          ${OUTCOMES.map((outcome) => html`<label class="field"><span>${coded("outcome", outcome)}</span><input value=${line[outcome] ?? ""} onInput=${set(place, outcome)} /><${Below} words=${words(line, outcome)} faults=${[]} /></label>`)}
        </div>
        <button type="button" onClick=${() => change({ ...draft, casualties: lines.filter((_, i) => i !== place) })}>${t("draft.remove")}</button>
      </fieldset>`,
    )}
    <p class="hint">${t("draft.count.hint")}</p>
    <${Below} faults=${faults} />
    <button type="button" onClick=${() => change({ ...draft, casualties: [...lines, { party: "", group: "" }] })}>${t("draft.people.add")}</button>
  </div>`;
}
