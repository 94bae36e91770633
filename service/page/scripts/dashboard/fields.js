/** Fields of the filters: what is chosen counts at once, what is typed when the hand rests. */

import { html, useEffect, useRef, useState } from "../library.js";
import { t } from "../language.js";

const REST = 400;

/** A labelled choice: `options` are `[value, text]`, or `{group, options}`. */
export function Choice({ name, label, value, options, change, none }) {
  const option = ([code, text]) => html`<option value=${code} selected=${code === (value ?? "")}>${text}</option>`;
  const id = `choice-${name}`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} name=${name} onChange=${(event) => change({ [name]: event.target.value })}>
      ${none !== undefined && option(["", none])}
      ${options.map((each) => (each.group ? html`<optgroup label=${each.group}>${each.options.map(option)}</optgroup>` : option(each)))}
    </select>
  </div>`;
}

/**
 * A labelled line of text. `accepts` says, at once or as a promise, whether what is typed may be
 * asked; what may not is marked and asked nothing. The first letter is a step to go back to, the
 * others are not.
 */
export function Line({ name, label, value = "", change, accepts = () => true, hint, list, ...more }) {
  const [draft, setDraft] = useState(value);
  const [wrong, setWrong] = useState(false);
  const typing = useRef({ timer: null, begun: false, value });
  useEffect(() => {
    if (value === typing.current.value) return;
    typing.current.value = value;
    setDraft(value);
    setWrong(false);
  }, [value]);
  useEffect(() => () => clearTimeout(typing.current.timer), []);
  const commit = async (text) => {
    clearTimeout(typing.current.timer);
    const good = text === "" || (await accepts(text));
    setWrong(!good);
    if (!good || text === typing.current.value) return;
    typing.current.value = text;
    change({ [name]: text }, { settled: !typing.current.begun });
    typing.current.begun = true;
  };
  const type = (event) => {
    const text = event.target.value;
    setDraft(text);
    clearTimeout(typing.current.timer);
    typing.current.timer = setTimeout(() => commit(text.trim()), REST);
  };
  const leave = (event) => {
    commit(event.target.value.trim()).then(() => {
      typing.current.begun = false;
    });
  };
  const id = `filter-${name}`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      name=${name}
      value=${draft}
      onInput=${type}
      onChange=${leave}
      list=${list}
      autocomplete="off"
      spellcheck=${false}
      aria-invalid=${wrong ? "true" : undefined}
      aria-describedby=${hint ? `${id}-hint` : undefined}
      ...${more}
    />
    ${hint && html`<span id=${`${id}-hint`} class=${`hint ${wrong ? "failed" : ""}`} role=${wrong ? "alert" : undefined}>${hint}</span>`}
  </div>`;
}

/** What a disclosure says and hides; `open` and `toggle` are its state. */
export const Unfold = ({ open, toggle, controls, children, ...more }) =>
  html`<button type="button" class="quiet unfold" aria-expanded=${String(open)} aria-controls=${controls} onClick=${toggle} ...${more}>
    ${children}
  </button>`;

/** What a refused answer says to a reader. */
export function Refused({ problem }) {
  if (!problem) return null;
  const text =
    problem.status === 0
      ? t("problem.offline")
      : problem.status === 429
        ? t("problem.limited")
        : t("problem.refused", { detail: problem.errors.map((each) => `${each.field} ${each.message}`).join("; ") || problem.message });
  return html`<p class="failed" role="alert">${text}</p>`;
}
