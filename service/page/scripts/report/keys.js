/** The key that reports are sent with: tried where there is a network, kept only if the monitor says so. */

import { html, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { ask } from "../service.js";
import { useKey } from "./outbox.js";

/** What is wrong with a key, as words; null where it may send, or where nothing can be learned now. */
async function wrong(given) {
  try {
    const self = await ask("/v1/keys/self", { key: given });
    return self.may?.includes("send") && !self.read_only ? null : "report.key.cannot";
  } catch (problem) {
    return problem.status === 401 ? "key.refused" : null;
  }
}

/** Where a key is given. */
export function Key() {
  const [failed, setFailed] = useState(null);
  const field = useRef(null);
  const kept = useRef(null);
  const give = async (event) => {
    event.preventDefault();
    const given = field.current.value.trim();
    if (!given) return field.current.focus();
    const found = navigator.onLine ? await wrong(given) : null;
    setFailed(found);
    if (!found) await useKey(given, kept.current.checked);
  };
  return html`<form class="card give-key" onSubmit=${give}>
    <div class="field">
      <label for="key">${t("report.key")}</label>
      <input id="key" ref=${field} type="password" autocomplete="off" spellcheck="false" aria-invalid=${failed ? "true" : undefined} aria-describedby=${failed ? "key-failed" : "key-hint"} />
      ${failed && html`<p id="key-failed" class="failed" role="alert">${t(failed)}</p>`}
      <p id="key-hint" class="hint">${t("report.key.hint")}</p>
    </div>
    <label class="check"><input ref=${kept} type="checkbox" aria-describedby="key-risk" /> ${t("report.key.keep")}</label>
    <p id="key-risk" class="hint">${t("report.key.risk")}</p>
    <button type="submit" class="main large">${t("key.give")}</button>
  </form>`;
}
