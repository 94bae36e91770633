/** Parts that the fields of the form are made of. */

import { html, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { find } from "./finding.js";

/** A field with its label; `more` are attributes of the input. */
export const Field = ({ id, label, hint, value, change, wrong, ...more }) => html`<div class="field">
  <label for=${id}>${label}</label>
  <input id=${id} value=${value} onInput=${(event) => change(event.target.value)} aria-describedby=${hint && `${id}-hint`}
    aria-invalid=${wrong ? "true" : undefined} autocomplete="off" ...${more} />
  ${hint && html`<p id=${`${id}-hint`} class="hint">${hint}</p>`}
</div>`;

/** One of several, `options` as pairs of value and words. */
export const Choice = ({ id, label, value, change, options }) => html`<div class="field">
  <label for=${id}>${label}</label>
  <select id=${id} value=${value} onChange=${(event) => change(event.target.value)}>
    ${options.map(([each, words]) => html`<option value=${each} selected=${each === value}>${words}</option>`)}
  </select>
</div>`;

/** One of a few, all of them seen: each a large target. */
export const Chips = ({ name, label, value, change, options }) => html`<div class="chips" role="radiogroup" aria-label=${label}>
  ${options.map(
    ([each, words]) => html`<label class="chip">
      <input type="radio" name=${name} value=${each} checked=${each === value} onChange=${() => change(each)} />
      <span>${words}</span>
    </label>`,
  )}
</div>`;

/** How long the name of something may be that the service does not know. */
const LONGEST_NAME = 200;

/**
 * Where something is typed and found among `entries`, or, with `own`, kept in the words as typed.
 *
 * `chosen` is the entry that was found, `text` what is typed. With `whole` all entries are seen
 * before anything is typed. `choose` is called with an entry or null, `typed` with a text.
 */
export function Finder({ id, label, hint, entries, chosen, text, choose, typed, own, whole, wrong }) {
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const box = useRef(null);
  const again = useRef(null);
  if (chosen) {
    const change = () => {
      choose(null);
      setTimeout(() => box.current?.focus());
    };
    return html`<div class="field">
      <span class="label" id=${`${id}-label`}>${label}</span>
      <p class="chosen" role="group" aria-labelledby=${`${id}-label`}>
        <strong>${chosen.label}</strong>
        <button type="button" ref=${again} onClick=${change}>${t("report.change")}</button>
      </p>
    </div>`;
  }
  const found = whole && !text.trim() ? entries : find(entries, text);
  const keep = own && text.trim() ? [{ id: null, label: t("report.as_typed", { text: text.trim() }), depth: 0 }] : [];
  const options = [...found, ...keep];
  const seen = open && options.length > 0;
  const take = (entry) => {
    setOpen(false);
    setAt(-1);
    if (entry.id === null) return;
    choose(entry);
    setTimeout(() => again.current?.focus());
  };
  const steer = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setOpen(true);
      const next = (at + step + options.length) % options.length;
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && seen) {
      event.preventDefault();
      take(options[Math.max(at, 0)]);
    } else if (event.key === "Escape") setOpen(false);
  };
  const type = (event) => {
    setOpen(true);
    setAt(-1);
    typed(event.target.value);
  };
  const enter = (event) => {
    setOpen(true);
    // What is found comes below, where a phone has its keyboard.
    if (matchMedia("(pointer: coarse)").matches) event.target.closest(".field").scrollIntoView({ block: "start" });
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} ref=${box} value=${text} type="text" maxlength=${LONGEST_NAME} role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list"
      aria-expanded=${String(seen)} aria-controls=${seen ? `${id}-list` : undefined} aria-invalid=${wrong ? "true" : undefined}
      aria-activedescendant=${seen && at >= 0 ? `${id}-${at}` : undefined} aria-describedby=${hint && `${id}-hint`}
      onInput=${type} onKeyDown=${steer} onFocus=${enter} onBlur=${() => setOpen(false)} />
    ${seen &&
    html`<ul id=${`${id}-list`} class="found" role="listbox" aria-label=${label} tabindex="-1" onPointerDown=${(event) => event.preventDefault()}>
      ${options.map(
        (entry, i) => html`<li id=${`${id}-${i}`} role="option" aria-selected=${String(i === at)} class=${entry.id === null ? "own" : `depth-${entry.depth}`} onClick=${() => take(entry)}>
          ${entry.label}${entry.as && html` <span class="as">${entry.as}</span>`}
        </li>`,
      )}
    </ul>`}
    ${hint && html`<p id=${`${id}-hint`} class="hint">${hint}</p>`}
  </div>`;
}

/** Deletes at the second tap, so that no tap beside another button does. */
export function Discard({ act }) {
  const [asked, setAsked] = useState(false);
  return html`<button type="button" class=${asked ? "large danger" : "large quiet"} onBlur=${() => setAsked(false)} onClick=${() => (asked ? act() : setAsked(true))}>
    ${t(asked ? "report.discard.sure" : "report.discard")}
  </button>`;
}

/** A part of the form with its heading, and what is wrong with it. */
export const Part = ({ id, title, wrong, children }) => html`<fieldset id=${`part-${id}`} class="part" aria-describedby=${wrong ? `wrong-${id}` : undefined}>
  <legend>${title}</legend>
  ${wrong && html`<p id=${`wrong-${id}`} class="failed">${wrong}</p>`}
  ${children}
</fieldset>`;
