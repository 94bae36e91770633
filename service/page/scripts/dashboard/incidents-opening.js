/** The link that opens an incident: an address of its own, followed without leaving the view. */

import { html } from "../library.js";
import { titleOf } from "../titles.js";
import { link } from "./state.js";

/** The address of this view with an incident open. */
export const addressOf = (incident) => link(location.search, { incident });

/** `incident` needs `id` and `title`; `set` changes the state of the view. */
export function Opening({ incident, set }) {
  const open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    set({ incident: incident.id });
  };
  return html`<a class="opening" href=${addressOf(incident.id)} data-incident=${incident.id} onClick=${open} dir="auto">${titleOf(incident)}</a>`;
}
