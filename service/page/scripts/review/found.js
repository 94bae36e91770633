/** A lead's text with what rules found in it, each finding a button that puts it into the draft. */

import { html, useContext } from "../library.js";
import { coded, t } from "../language.js";
import { when } from "../when.js";
import { Reference, nameOf } from "./reference.js";

const KINDS = ["dates", "places", "weapons", "counts"];

/** The text of a lead; `use(kind, found)` puts a finding into the draft. */
export function Told({ lead, use }) {
  return html`
    <p class="legend" aria-hidden="true">
      ${KINDS.map((kind) => html`<span class=${`found ${kind}`}>${t(`found.${kind}`)}</span> `)}
    </p>
    <div class="told" dir="auto" lang=${lead.findings.language ?? lead.language ?? undefined}>
      ${pieces(lead).map((piece) => (piece.found ? html`<${Found} ...${piece} use=${use} />` : piece.text))}
    </div>
  `;
}

function Found({ kind, found, text, use }) {
  const reference = useContext(Reference);
  const meaning = meaningOf(reference, kind, found);
  const usable = kind !== "counts" || (found.outcome && !found.denied);
  const label = html`${text}${meaning.toLowerCase() !== text.toLowerCase() && html`<span class="meaning">${meaning}</span>`}`;
  if (!usable) return html`<span class=${`found ${kind}`}>${label}</span>`;
  return html`<button type="button" class=${`found ${kind}`} title=${t("found.use")} onClick=${() => use(kind, found)}>${label}</button>`;
}

function meaningOf(reference, kind, found) {
  if (kind === "dates") return when(found.edtf);
  if (kind === "places") return nameOf(reference, "places", found.place);
  if (kind === "weapons") return nameOf(reference, "weapons", found.weapon);
  const said = [found.outcome && coded("outcome", found.outcome), found.group && coded("group", found.group)];
  return [...said, found.denied && t("found.denied")].filter(Boolean).join(", ");
}

/**
 * The text in pieces, those that were found with their kind: `{text, kind?, found?}`. Findings say
 * where they stand in characters, not in the halves of them that JavaScript counts; of two that
 * overlap the one that begins first is marked.
 */
export function pieces(lead) {
  const characters = Array.from(lead.told);
  const text = (start, end) => characters.slice(start, end).join("");
  const all = KINDS.flatMap((kind) => lead.findings[kind].map((found) => ({ kind, found })));
  all.sort((a, b) => a.found.start - b.found.start || b.found.end - a.found.end);
  const told = [];
  let at = 0;
  for (const { kind, found } of all) {
    if (found.start < at) continue;
    told.push({ text: text(at, found.start) });
    told.push({ text: text(found.start, found.end), kind, found });
    at = found.end;
  }
  return [...told, { text: text(at) }];
}

/** The words of the text that a drafted field comes from, or null. */
export function wordsFor(lead, kind, is) {
  const found = lead.findings[kind].filter(is);
  return found.length > 0 ? [...new Set(found.map((each) => each.text))].join(" · ") : null;
}
