/** The report form: what monitors write, with or without a network. */

import { html, useState } from "../library.js";
import { t } from "../language.js";
import { Dialog, open } from "../frame.js";
import { Form } from "./form.js";
import { List } from "./list.js";
import { forgetKey } from "./outbox.js";
import { look, useReport } from "./state.js";
import { open as openDraft, start, wipe } from "./writing.js";

function Page() {
  const { view, draft, kept } = useReport();
  const left = kept.reports.filter((report) => report.id !== draft?.id || report.state !== "draft").length;
  const count = left + kept.receipts.length;
  const tab = (name, words, act) => html`<button type="button" aria-current=${view === name ? "page" : undefined} onClick=${act}>${words}</button>`;
  return html`<div class="reporting filling">
    <${Strip} />
    <h1>${t("report.title")}</h1>
    <nav class="tabs" aria-label=${t("report.views")}>
      ${tab("write", t("report.write"), () => look("write"))}
      ${tab("device", count > 0 ? t("report.device.count", { count }) : t("report.device"), () => look("device"))}
    </nav>
    ${view === "write" && draft && html`<${Form} key=${draft.id} />`}
    ${view === "device" && html`<${List} /><button type="button" class="main large wide" onClick=${() => openDraft()}>${t("report.new")}</button>`}
    <${Device} />
  </div>`;
}

/** Always in sight: whether there is a network, and the way to leave nothing behind. */
function Strip() {
  const { online } = useReport();
  const [asking, setAsking] = useState(false);
  const close = () => setAsking(false);
  return html`<div class="strip">
    <p class=${online ? "state" : "state offline"} role="status">
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" /></svg>
      ${t(online ? "report.online" : "report.offline")}
    </p>
    <button type="button" class="danger" onClick=${() => setAsking(true)}>${t("report.wipe")}</button>
    ${asking &&
    html`<${Dialog} title=${t("report.wipe.title")} close=${close}>
      <p>${t("report.wipe.what")}</p>
      <button type="button" class="danger large wide" onClick=${wipe}>${t("report.wipe.now")}</button>
      <button type="button" class="large wide" onClick=${close}>${t("cancel")}</button>
    <//>`}
  </div>`;
}

const WORKER = { ready: "report.ready", preparing: "report.preparing", unable: "report.unable" };

/** What this device can do without a network, and what it holds. */
function Device() {
  const { worker, key } = useReport();
  return html`<footer class="about-device">
    <p class="hint">${t(WORKER[worker])}</p>
    ${key && html`<p class="hint">${t("key.held")} <button type="button" onClick=${forgetKey}>${t("key.forget")}</button></p>`}
  </footer>`;
}

await open("report", Page);
await start();
