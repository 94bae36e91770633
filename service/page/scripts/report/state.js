/** What the page shows now; components read it with `useReport`. Whatever changes goes to the device first. */

import { useEffect, useState } from "../library.js";
import * as content from "./content.js";
import * as device from "./device.js";
import { NOTHING } from "./reference.js";

/**
 * `draft` is the report in the form, `written` what of it is on the device, `unsaved` whether the
 * device refused to keep it, `checked` whether what it lacks is said, `told` what was done last,
 * `opened` whether somebody asked for the form that is seen, `skew` by how many milliseconds the
 * device's clock is ahead of the service's, where that is known.
 */
export const state = {
  view: "write",
  draft: null,
  kept: { reports: [], photos: [], receipts: [], settings: {} },
  reference: NOTHING,
  online: navigator.onLine,
  worker: "preparing",
  key: null,
  keyNeeded: false,
  sending: false,
  until: null,
  checked: false,
  written: null,
  unsaved: false,
  told: null,
  opened: false,
  skew: null,
};

const listeners = new Set();

/** Change the state, and draw anew what shows it. */
export function show(changes) {
  Object.assign(state, changes);
  for (const listener of listeners) listener({});
}

/** The state, with the component drawn anew whenever it changes. */
export function useReport() {
  const [, redraw] = useState({});
  useEffect(() => {
    listeners.add(redraw);
    return () => listeners.delete(redraw);
  }, []);
  return state;
}

/** A report that nobody wrote in yet; version 4 of its id tells neither moment nor device. */
export const fresh = () => ({ id: crypto.randomUUID(), state: "draft", form: content.blank(), changed: null });

/** Show another view: `write`, `device`. */
export const look = (view, told = null) => show({ view, told, opened: false });

/** Everything on the device, as it is now. */
export async function refresh() {
  show({ kept: await device.everything() });
}
