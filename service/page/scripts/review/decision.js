/** What a reviewer decides about a report: its status on a basis, its grade, its doubts. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { Deciding } from "./forms.js";

/** Statuses that a reviewer may decide for, each with its key. */
export const DECISIONS = {
  verified: "v",
  corroborated: "c",
  unverified: "u",
  unverifiable: "n",
  refuted: "r",
};

/** Bases, the strongest first, as the service names them. */
const BASES = [
  "independent-investigation",
  "peacekeepers",
  "humanitarian-registration",
  "own-proceedings",
  "court-communicated",
  "named-by-title",
  "party-evidence",
  "mutual-accusation",
  "claimed-and-denied",
  "claimed-by-party",
  "reported-unnamed",
];
const VERIFYING = BASES.slice(0, 3);
const CORROBORATING = BASES.slice(0, 4);

/** Which bases carry a status; all of them may be named for one that needs none. */
const basesFor = (status) =>
  status === "verified" ? VERIFYING : status === "corroborated" ? CORROBORATING : BASES;

const RELIABILITY = ["A", "B", "C", "D", "E", "F"];
const CREDIBILITY = ["1", "2", "3", "4", "5", "6"];

/**
 * What the service is asked for, by what was typed about a report with these open flags; `status`
 * is null where a grade alone is given.
 */
export function decisionOf(status, typed, flags) {
  const grade = typed.reliability && typed.credibility ? typed.reliability + typed.credibility : undefined;
  const evidence = (typed.evidence ?? [])
    .map((each) => Object.fromEntries(Object.entries(each).map(([name, text]) => [name, text.trim()]).filter(([, text]) => text)))
    .filter((each) => Object.keys(each).length > 0);
  return {
    ...(status ? { status } : {}),
    ...(status && basesFor(status).includes(typed.basis) ? { basis: typed.basis } : {}),
    reason: typed.reason,
    ...(grade ? { grade } : {}),
    clears: (typed.clears ?? []).filter((flag) => flags.includes(flag)),
    evidence,
  };
}

/** The form of a decision for `status`, or of a grade where that is null. */
export function Decision({ status, report, value, change, confirm, cancel }) {
  const set = (name) => (event) => change({ ...value, [name]: event.target.value });
  return html`<${Deciding}
    title=${t(`decide.${status ?? "grade"}`)}
    explain=${t(`decide.${status ?? "grade"}.why`)}
    longest=${20000}
    value=${value}
    change=${change}
    confirm=${confirm}
    cancel=${cancel}
    more=${html`<details open=${(value.evidence ?? []).length > 0}>
      <summary>${t(status ? "form.more" : "evidence")}</summary>
      ${status && html`<${Grade} value=${value} set=${set} />`}
      <${Evidence} value=${value} change=${change} />
    </details>`}
  >
    ${status ? html`<${Basis} status=${status} value=${value.basis ?? ""} change=${set("basis")} />` : html`<${Grade} value=${value} set=${set} required />`}
    ${report.flags.length > 0 && html`<${Clearing} status=${status} flags=${report.flags} value=${value} change=${change} />`}
  <//>`;
}

function Basis({ status, value, change }) {
  const offered = basesFor(status);
  const held = offered.includes(value) ? value : "";
  return html`<label class="field">
    <span>${t("form.basis")}</span>
    <select name="basis" required=${status === "verified"} value=${held} onChange=${change}>
      <option value="" selected=${held === ""}>${t(status === "verified" ? "form.basis.choose" : status === "corroborated" ? "form.basis.second" : "form.basis.none")}</option>
      ${offered.map((basis) => html`<option value=${basis} selected=${basis === held}>${coded("basis", basis)}</option>`)}
    </select>
  </label>`;
}

function Clearing({ status, flags, value, change }) {
  const cleared = value.clears ?? [];
  const tick = (flag) => (event) =>
    change({ ...value, clears: event.target.checked ? [...cleared, flag] : cleared.filter((each) => each !== flag) });
  return html`<fieldset>
    <legend>${t("form.clears")}</legend>
    ${status === "verified" && html`<p class="hint">${t("form.clears.hint")}</p>`}
    ${flags.map((flag) => html`<label class="tick"><input type="checkbox" checked=${cleared.includes(flag)} onChange=${tick(flag)} /> <span>${coded("flag", flag)}</span></label>`)}
  </fieldset>`;
}

function Grade({ value, set, required = false }) {
  const list = (name, codes, tell) => html`<label class="field">
    <span>${t(`form.${name}`)}</span>
    <select name=${name} required=${required || Boolean(value.reliability || value.credibility)} value=${value[name] ?? ""} onChange=${set(name)}>
      <option value="" selected=${!value[name]}>–</option>
      ${codes.map((code) => html`<option value=${code} selected=${value[name] === code}>${code} – ${tell(code)}</option>`)}
    </select>
  </label>`;
  return html`<div class="pair">
    ${list("reliability", RELIABILITY, (code) => coded("reliability", code))}
    ${list("credibility", CREDIBILITY, (code) => coded("credibility", code))}
  </div>`;
}

/** Documents that a decision rests on; a file can be hashed here, and stays on the device. */
function Evidence({ value, change }) {
  const evidence = value.evidence ?? [];
  const put = (place, more) =>
    change({ ...value, evidence: evidence.map((each, i) => (i === place ? { ...each, ...more } : each)) });
  const hash = (place) => async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    put(place, { sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
  };
  const field = (place, name, more = {}) => html`<label class="field">
    <span>${t(`evidence.${name}`)}</span>
    <input ...${more} value=${evidence[place][name] ?? ""} onInput=${(event) => put(place, { [name]: event.target.value })} />
  </label>`;
  return html`
    ${evidence.map(
      (each, place) => html`<fieldset>
        <legend>${t("evidence.number", { number: place + 1 })}</legend>
        ${field(place, "title", { required: true, maxlength: 500 })}
        ${field(place, "publisher", { maxlength: 500 })}
        ${field(place, "url", { type: "url", pattern: "https?://.*" })}
        ${field(place, "sha256", { pattern: "[0-9a-f]{64}", spellcheck: false })}
        ${crypto.subtle && html`<label class="field"><span>${t("evidence.file")}</span><input type="file" onChange=${hash(place)} /></label>`}
        <button type="button" onClick=${() => change({ ...value, evidence: evidence.filter((_, i) => i !== place) })}>${t("evidence.remove")}</button>
      </fieldset>`,
    )}
    <button type="button" onClick=${() => change({ ...value, evidence: [...evidence, {}] })}>${t("evidence.add")}</button>
  `;
}
