/** Says above everything that what is shown is not what is known now. */

import { html } from "../library.js";
import { t } from "../language.js";
import { dated } from "./labels.js";

/** The banner of an earlier state, with the way back. */
export function Earlier({ filters, set }) {
  if (!filters.as_of) return null;
  const at = /^changes:(\d+)$/.exec(filters.as_of);
  const when = at ? t("earlier.changes", { count: Number(at[1]) }) : /^\d{4}(-\d\d){0,2}$/.test(filters.as_of) ? dated(filters.as_of) : filters.as_of;
  return html`<div class="earlier" role="status">
    <p>${t("earlier", { when })}</p>
    <button type="button" onClick=${() => set({ as_of: "" })}>${t("earlier.now")}</button>
  </div>`;
}
