/** Small forms in which something is decided: with a reason, confirmed by Enter, left by Escape. */

import { html, useLayoutEffect, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { refusal } from "./refusals.js";

/**
 * A form that asks for a reason, before it for what its children ask for, after it for `more`.
 *
 * `value` is what was typed so far and lives outside, so that nothing is lost where the form is
 * closed or the service refuses; `confirm` does what was decided and throws `Problem`.
 */
export function Deciding({ title, explain, value, change, confirm, cancel, longest = 500, more, children }) {
  const form = useRef(null);
  const [state, setState] = useState({ busy: false, failed: null });
  // Before the next key is pressed, however quickly.
  useLayoutEffect(() => {
    form.current.querySelector("select, textarea, input")?.focus();
    form.current.scrollIntoView({ block: "nearest" });
  }, [title]);
  const submit = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    setState({ busy: true, failed: null });
    try {
      await confirm();
    } catch (problem) {
      setState({ busy: false, failed: problem });
    }
  };
  const press = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      cancel();
    }
    // In a reason Enter confirms, and begins a line with Shift; a choice does nothing with it.
    if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, select")) {
      event.preventDefault();
      form.current.requestSubmit();
    }
  };
  return html`<form ref=${form} class="deciding" aria-labelledby="deciding" onSubmit=${submit} onKeyDown=${press}>
    <h3 id="deciding">${title}</h3>
    ${explain && html`<p class="hint">${explain}</p>`}
    ${children}
    <label class="field">
      <span>${t("form.reason")}</span>
      <textarea
        rows="2"
        required
        maxlength=${longest}
        aria-describedby="reason-hint"
        value=${value.reason ?? ""}
        onInput=${(event) => change({ ...value, reason: event.target.value })}
      ></textarea>
    </label>
    <p id="reason-hint" class="hint">${t("form.reason.hint")}</p>
    ${more}
    ${state.failed && html`<p class="failed" role="alert">${refusal(state.failed)}</p>`}
    <p class="actions">
      <button type="submit" class="main" disabled=${state.busy}>${title}</button>
      <button type="button" class="quiet" onClick=${cancel}>${t("cancel")}</button>
    </p>
  </form>`;
}
