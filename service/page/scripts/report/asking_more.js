/** What may be told besides: with what, who was harmed, who is blamed, what proves it. */

import { html, useMemo, useRef, useState } from "../library.js";
import { coded, current, named, number, t } from "../language.js";
import { blankLine, blankSource } from "./content.js";
import { Choice, Field, Finder, Part } from "./fields.js";
import { treeToFind } from "./finding.js";

const GROUPS = ["military", "civilian"];
const OUTCOMES = ["killed", "wounded", "missing", "captured", "displaced"];
const COUNTS = ["exactly", "least", "range", "words"];
const STANCES = ["asserts", "denies", "corrects"];
const IMAGES = ["image/jpeg", "image/png", "image/webp"];

const replaced = (items, at, item) => items.map((each, i) => (i === at ? item : each));
const without = (items, at) => items.filter((_, i) => i !== at);

/** Weapons, chosen from the tree or found in it. */
export function Weapons({ value, change, weapons }) {
  const [text, setText] = useState("");
  const entries = useMemo(() => treeToFind(weapons), [weapons, current()]);
  const free = entries.filter((entry) => !value.some((each) => each.weapon === entry.id));
  const name = (id) => entries.find((entry) => entry.id === id)?.label ?? id;
  const choose = (entry) => {
    if (!entry) return;
    setText("");
    change([...value, { weapon: entry.id, calibre: "" }]);
  };
  return html`<${Part} id="weapons" title=${t("report.weapons")}>
    <ul class="lines">
      ${value.map(
        (each, i) => html`<li class="line">
          <strong>${name(each.weapon)}</strong>
          <${Field} id=${`calibre-${i}`} label=${t("report.calibre")} inputmode="decimal" value=${each.calibre} change=${(calibre) => change(replaced(value, i, { ...each, calibre }))} />
          <${Remove} what=${name(each.weapon)} act=${() => change(without(value, i))} />
        </li>`,
      )}
    </ul>
    <${Finder} id="weapon" label=${t("report.weapon")} entries=${free} text=${text} typed=${setText} choose=${choose} whole />
  <//>`;
}

const Remove = ({ what, act }) => html`<button type="button" class="quiet remove" aria-label=${t("report.remove.of", { what })} onClick=${act}>${t("report.remove")}</button>`;

/** Who was harmed, a line for each figure. */
export function Casualties({ value, change, parties, wrong }) {
  const add = () => change([...value, blankLine()]);
  return html`<${Part} id="casualties" title=${t("report.casualties")} wrong=${wrong}>
    <p class="hint">${t("report.casualties.hint")}</p>
    ${value.map(
      (line, i) => html`<${Line} at=${i} line=${line} parties=${parties} change=${(changed) => change(replaced(value, i, changed))} remove=${() => change(without(value, i))} wrong=${wrong} />`,
    )}
    <button type="button" class="large" onClick=${add}>${t("report.casualties.add")}</button>
  <//>`;
}

function Line({ at, line, parties, change, remove, wrong }) {
  const set = (name) => (text) => change({ ...line, [name]: text });
  const what = t("report.line", { number: at + 1 });
  return html`<div class="line" role="group" aria-label=${what}>
    <div class="pair">
      <${Choice} id=${`party-${at}`} label=${t("report.party")} value=${line.party} change=${set("party")} options=${[["", t("unstated")], ...parties.map((each) => [each.id, named(each)])]} />
      <${Choice} id=${`group-${at}`} label=${t("report.group")} value=${line.group} change=${set("group")} options=${[["", t("unstated")], ...GROUPS.map((each) => [each, coded("group", each)])]} />
      <${Choice} id=${`outcome-${at}`} label=${t("report.outcome")} value=${line.outcome} change=${set("outcome")} options=${OUTCOMES.map((each) => [each, coded("outcome", each)])} />
      <${Choice} id=${`how-${at}`} label=${t("report.count")} value=${line.how} change=${set("how")} options=${COUNTS.map((each) => [each, t(`report.count.${each}`)])} />
      ${line.how !== "words" && html`<${Field} id=${`low-${at}`} label=${t(line.how === "range" ? "report.low" : "report.number")} inputmode="numeric" value=${line.low} change=${set("low")} wrong=${wrong} />`}
      ${line.how === "range" && html`<${Field} id=${`high-${at}`} label=${t("report.high")} inputmode="numeric" value=${line.high} change=${set("high")} wrong=${wrong} />`}
      ${line.how === "words" && html`<${Field} id=${`words-${at}`} label=${t("report.count.words")} maxlength="500" value=${line.words} change=${set("words")} wrong=${wrong} />`}
    </div>
    <${Remove} what=${what} act=${remove} />
  </div>`;
}

/** Whom the claimant blames, and whether the claim is made, denied or corrected. */
export function Blame({ form, change, parties, wrong }) {
  const { attributed_to: blamed, stance, about } = form;
  const kinds = ["report", "incident"].map((each) => [each, t(`report.about.${each}`)]);
  return html`<${Part} id="about" title=${t("report.blame")} wrong=${wrong}>
    <${Choice} id="attributed_to" label=${t("report.attributed_to")} value=${blamed} change=${(attributed_to) => change({ attributed_to })} options=${[["", t("unstated")], ...parties.map((each) => [each.id, named(each)])]} />
    <${Choice} id="stance" label=${t("report.stance")} value=${stance} change=${(chosen) => change({ stance: chosen })} options=${STANCES.map((each) => [each, coded("stance", each)])} />
    ${stance !== "asserts" &&
    html`<${Choice} id="about-kind" label=${t("report.about")} value=${about.kind} change=${(kind) => change({ about: { ...about, kind } })} options=${kinds} />
      <${Field} id="about-id" label=${t("report.about.id")} maxlength="36" value=${about.id} change=${(id) => change({ about: { ...about, id } })} wrong=${wrong} />`}
  <//>`;
}

/** What happened, in the monitor's words. */
export const Summary = ({ value, change }) => html`<${Part} id="summary" title=${t("report.summary")}>
  <div class="field">
    <label for="summary" class="visually-hidden">${t("report.summary")}</label>
    <textarea id="summary" rows="5" maxlength="20000" value=${value} aria-describedby="summary-hint" onInput=${(event) => change(event.target.value)}></textarea>
    <p id="summary-hint" class="hint">${t("report.summary.hint")}</p>
  </div>
<//>`;

/** Documents behind it. */
export function Sources({ value, change, wrong }) {
  const fields = [["title", {}], ["publisher", {}], ["published", { placeholder: "2022-08" }], ["url", { type: "url", inputmode: "url" }]];
  return html`<${Part} id="sources" title=${t("report.sources")} wrong=${wrong}>
    ${value.map(
      (source, i) => html`<div class="line" role="group" aria-label=${t("report.source", { number: i + 1 })}>
        ${fields.map(
          ([name, more]) => html`<${Field} id=${`${name}-${i}`} label=${t(`report.source.${name}`)} maxlength=${name === "url" ? "2000" : "500"} value=${source[name]}
            change=${(text) => change(replaced(value, i, { ...source, [name]: text }))} wrong=${wrong && name === "title"} ...${more} />`,
        )}
        <${Remove} what=${t("report.source", { number: i + 1 })} act=${() => change(without(value, i))} />
      </div>`,
    )}
    <button type="button" class="large" onClick=${() => change([...value, blankSource()])}>${t("report.sources.add")}</button>
  <//>`;
}

/** Photos with the hashes that prove later that they are the same. */
export function Photos({ photos, attach, detach }) {
  const [refused, setRefused] = useState(false);
  const field = useRef(null);
  const take = async (event) => {
    const files = [...event.target.files];
    setRefused(files.some((file) => !IMAGES.includes(file.type)));
    for (const file of files) if (IMAGES.includes(file.type)) await attach(file);
    field.current.value = "";
  };
  return html`<${Part} id="photos" title=${t("report.photos")}>
    <p class="hint">${t("report.photos.hint")}</p>
    ${photos.map((photo, i) => html`<${Photo} key=${photo.sha256} photo=${photo} at=${i} detach=${detach} />`)}
    <label class="button large file"><input ref=${field} class="visually-hidden" type="file" accept=${IMAGES.join(",")} multiple onChange=${take} /> ${t("report.photos.add")}</label>
    ${refused && html`<p class="failed" role="alert">${t("report.photos.kind")}</p>`}
  <//>`;
}

function Photo({ photo, at, detach }) {
  const address = useMemo(() => URL.createObjectURL(photo.blob), [photo.sha256]);
  const what = t("report.photo", { number: at + 1 });
  return html`<div class="line photo" role="group" aria-label=${what}>
    <img src=${address} alt=${what} width="96" height="72" onLoad=${() => URL.revokeObjectURL(address)} />
    <div>
      <p class="hash">SHA-256 <code>${photo.sha256}</code></p>
      <p class="hint">${t("report.photo.size", { size: number(photo.blob.size / 1024, { maximumFractionDigits: 0 }) })}</p>
    </div>
    <${Remove} what=${what} act=${() => detach(photo)} />
  </div>`;
}
