/** Everything that a monitor does to reports on the device, from opening the page to erasing it. */

import { key as keyOfTab } from "../service.js";
import { skew } from "./clock.js";
import * as content from "./content.js";
import * as device from "./device.js";
import { flush, rest } from "./outbox.js";
import { reference } from "./reference.js";
import { fresh, refresh, show, state } from "./state.js";

const EMPTY = "about:blank";

/** Start: what was left on the device, the words of the theatre, and sending what waits. */
export async function start() {
  show({ draft: fresh() });
  show({ reference: await begun() });
  check();
  await flush();
}

/** See how far the clock of the device is off, where the service can be asked. */
const check = async () => navigator.onLine && show({ skew: await skew() });

/** What was left on the device, if it keeps anything; answers the words of the theatre. */
async function begun() {
  const words = reference();
  if (!(await saved(restore))) return words;
  device.onChange((erased) => (erased ? leave() : elsewhere()));
  addEventListener("online", () => wake());
  addEventListener("offline", () => show({ online: false }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  install();
  return words;
}

async function restore() {
  const kept = await device.everything();
  // Who wanted to keep a receipt said so when it was shown.
  const gone = kept.receipts.filter((receipt) => receipt.seen && !receipt.kept);
  await Promise.all(gone.map((receipt) => device.dropReceipt(receipt.id)));
  const left = kept.reports.filter((report) => report.state === "draft").at(-1);
  show({ key: keyOfTab() ?? kept.settings.key ?? null, draft: left ?? state.draft, written: left ?? null });
  await refresh();
}

/** This tab too leaves nothing behind: its own storage is nobody else's. */
function leave() {
  unwritten = true;
  rest();
  sessionStorage.clear();
  location.replace(EMPTY);
}

/** Have the worker keep the page on the device: from then on it opens without a network. */
async function install() {
  try {
    await navigator.serviceWorker.register("/worker.js", { scope: "/" });
    await navigator.serviceWorker.ready;
    show({ worker: "ready" });
  } catch {
    show({ worker: "unable" });
  }
}

/** Another tab changed something: what it sent or let go of is not written here any longer. */
async function elsewhere() {
  await writing;
  await refresh();
  const { draft, kept } = state;
  const known = kept.reports.find((report) => report.id === draft.id);
  if (state.written?.id === draft.id && known?.state !== "draft") show({ draft: fresh(), checked: false });
  else if (known?.changed > draft.changed) show({ draft: known, written: known });
}

/** There may be a network again: fetch what is missing, send what waits. */
async function wake() {
  show({ online: navigator.onLine });
  check();
  if (state.reference.theatre === null) show({ reference: await reference() });
  await flush(true);
}

let writing = Promise.resolve();
let unwritten = false;

/** Change the form; kept on the device at once, the latest state of it where somebody types fast. */
export function change(changes) {
  const draft = { ...state.draft, form: { ...state.draft.form, ...changes }, changed: Date.now() };
  show({ draft, told: null });
  if (unwritten) return;
  unwritten = true;
  writing = writing.then(async () => {
    unwritten = false;
    const latest = state.draft;
    if (latest.changed && (await saved(() => device.keep(latest)))) show({ written: latest });
  });
}

/** Whether the device kept something: it may be full, or keep nothing in a private window. */
async function saved(work) {
  try {
    await work();
    if (state.unsaved) show({ unsaved: false });
    return true;
  } catch {
    show({ unsaved: true });
    return false;
  }
}

/** Add a photo to the report in the form, under the hash of its bytes. */
export async function attach(blob) {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // A copy without the name of the file, which may tell when it was taken.
  const photo = { report: state.draft.id, sha256, blob: new Blob([blob], { type: blob.type }) };
  if (!(await saved(() => device.keepPhoto(photo)))) return;
  change({});
  await writing;
  await refresh();
}

/** Take a photo out again. */
export async function detach(photo) {
  await device.dropPhoto(photo);
  await refresh();
}

/** Open a report of the device in the form, or an empty one. */
export async function open(report = null) {
  await writing;
  await refresh();
  const now = report ? state.kept.reports.find((each) => each.id === report.id) : null;
  // What may have been received meanwhile is no draft any more.
  if (report && (!now || (now.state === "queued" && now.attempts > 0))) return;
  const draft = report ? { ...now, state: "draft" } : fresh();
  show({ draft, written: now, view: "write", checked: false, told: null, opened: true });
  if (report) await saved(() => device.keep(draft));
  await refresh();
}

let submitting = false;

/** Put the report of the form into the queue, unless something is missing: answers what. */
export async function submit() {
  const { id, form } = state.draft;
  const missing = content.missing(form);
  if (missing.length > 0) {
    show({ checked: true });
    return missing;
  }
  if (submitting) return [];
  submitting = true;
  await writing;
  const body = JSON.stringify(content.report(id, form, state.reference.claimants));
  const queued = { id, form, state: "queued", body, attempts: 0, next: 0, problem: null, changed: Date.now() };
  const kept = await saved(() => device.keep(queued));
  submitting = false;
  if (!kept) return [];
  show({ draft: fresh(), checked: false, view: "device", told: "queued" });
  // Browsers that ask themselves what to throw away are asked to keep this.
  navigator.storage?.persist?.();
  await refresh();
  flush(true);
  return [];
}

/** Send a refused report once more as a new one, under another id; its photos go with it. */
export async function again(report) {
  const photos = state.kept.photos.filter((photo) => photo.report === report.id);
  const draft = { ...fresh(), form: report.form, changed: Date.now() };
  await device.keep(draft);
  for (const photo of photos) await device.keepPhoto({ report: draft.id, sha256: photo.sha256, blob: photo.blob });
  await device.drop(report.id);
  await open(draft);
}

/** Let go of a report that is on the device, of its photos too. */
export async function discard(id) {
  await writing;
  await device.drop(id);
  if (state.draft.id === id) show({ draft: fresh(), checked: false, opened: true });
  await refresh();
}

/** Erase everything at once, and leave nothing to be seen. */
export async function wipe() {
  rest();
  // Nothing may be written any more.
  unwritten = true;
  await device.erase();
  leave();
}
