/** Sending what waits, whenever it may succeed; keys and receipts. */

import * as device from "./device.js";
import { send } from "./sending.js";
import { refresh, show, state } from "./state.js";

let timer = null;

/** Send what is due, or with `all` everything; then wait for the next time. */
export async function flush(all = false) {
  clearTimeout(timer);
  await refresh();
  const { reports, photos } = state.kept;
  const waits = reports.some((report) => report.state === "queued");
  const behind = photos.some((photo) => !photo.problem && !reports.some((report) => report.id === photo.report));
  if (!(waits || behind) || state.sending || !navigator.onLine) return;
  if (!state.key) {
    show({ keyNeeded: true });
    return;
  }
  show({ sending: true });
  const { key, offline, until } = await send(state.key, all);
  if (key) {
    await device.set("key", null);
    show({ key: null, keyNeeded: true });
  }
  if (offline !== undefined) show({ online: !offline && navigator.onLine });
  show({ sending: false, until: until ?? null });
  await refresh();
  if (until) timer = setTimeout(flush, Math.max(until - Date.now(), 1000));
}

/** Use a key from now on; `kept` leaves it on the device, so that nobody is asked for it again. */
export async function useKey(key, kept) {
  await device.set("key", kept ? key : null);
  show({ key, keyNeeded: false });
  await flush(true);
}

/** Forget the key, on the device too. */
export async function forgetKey() {
  await device.set("key", null);
  show({ key: null });
  await refresh();
}

/** Keep a receipt, or let go of it. */
export async function keepReceipt(receipt) {
  await device.changeReceipt(receipt.id, { kept: true });
  await refresh();
}

export async function dropReceipt({ id }) {
  await device.dropReceipt(id);
  await refresh();
}

/** The receipts were seen: those that nobody keeps are gone when the page is opened again. */
export async function seen(receipts) {
  await Promise.all(receipts.filter((each) => !each.seen).map((each) => device.changeReceipt(each.id, { seen: true })));
}

/** Send a photo again that was refused. */
export async function retry(photo) {
  await device.changePhoto(photo, { problem: null, next: 0 });
  await flush(true);
}

/** Send nothing any more. */
export const rest = () => clearTimeout(timer);
