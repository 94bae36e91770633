/** What is on the device: drafts, what waits, what was refused, and receipts. */

import { html, useEffect, useRef } from "../library.js";
import { coded, named, t } from "../language.js";
import { placeName } from "../places.js";
import { when as inWords } from "../when.js";
import { edtf } from "./content.js";
import { Discard } from "./fields.js";
import { Refusal } from "./form.js";
import { Key } from "./keys.js";
import { dropReceipt, flush, keepReceipt, retry, seen } from "./outbox.js";
import { useReport } from "./state.js";
import { again, detach, discard, open } from "./writing.js";

const SHORT = 12;
const DEVICE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Everything that is left to do, and what was done. */
export function List() {
  const { kept, told, keyNeeded, key, online, sending, until } = useReport();
  const heading = useRef(null);
  const of = (state) => kept.reports.filter((report) => report.state === state);
  const [drafts, queued, refused] = ["draft", "queued", "refused"].map(of);
  const left = new Set(kept.reports.map((report) => report.id));
  const late = kept.photos.filter((photo) => !left.has(photo.report));
  const waiting = queued.length + late.length > 0;
  useEffect(() => heading.current.focus(), [told]);
  useEffect(() => {
    seen(kept.receipts);
  }, [kept.receipts]);
  return html`<section class="device" aria-labelledby="device-title">
    <h2 id="device-title" tabindex="-1" ref=${heading}>${t("report.device")}</h2>
    <p role="status" class="done">${told === "queued" && queued.length > 0 ? t("report.queued") : ""}</p>
    ${waiting && html`<${Waiting} ...${{ online, sending, until, held: key !== null }} />`}
    ${(keyNeeded || (waiting && !key)) && html`<${Key} />`}
    ${kept.reports.length + kept.receipts.length + late.length === 0 && html`<p class="hint">${t("report.device.empty")}</p>`}
    <${Group} title=${t("report.refusals")} items=${refused} draw=${(report) => html`<${Refused} key=${report.id} report=${report} />`} />
    <${Group} title=${t("report.queue")} items=${queued} draw=${(report) => html`<${Queued} key=${report.id} report=${report} sending=${sending} />`} />
    <${Group} title=${t("report.photos.late")} items=${late} draw=${(photo) => html`<${Late} key=${photo.sha256} photo=${photo} />`} />
    <${Group} title=${t("report.receipts")} items=${kept.receipts} draw=${(receipt) => html`<${Receipt} key=${receipt.id} receipt=${receipt} />`} />
    <${Group} title=${t("report.drafts")} items=${drafts} draw=${(report) => html`<${Draft} key=${report.id} report=${report} />`} />
  </section>`;
}

function Waiting({ online, sending, until, held }) {
  const words = () => {
    if (sending) return t("report.sending");
    if (!online) return t("report.waits.offline");
    if (!held) return t("report.waits.key");
    return until ? t("report.waits.until", { time: inWords(new Date(until).toISOString(), DEVICE) }) : t("report.waits");
  };
  return html`<div class="card waiting">
    <p aria-live="polite">${words()}</p>
    ${held && html`<button type="button" class="large" disabled=${sending} onClick=${() => flush(true)}>${t("report.try")}</button>`}
  </div>`;
}

const Group = ({ title, items, draw }) => items.length > 0 && html`<h3>${title}</h3><ul class="cards">${items.map(draw)}</ul>`;

/** What a report is about, in two lines. */
function About({ form }) {
  const { reference } = useReport();
  const { how, place, words, sector, district, lat, lon } = form.where;
  const known = reference.places.find((each) => each.id === (how === "district" ? district : place));
  const area = reference.sectors.find((each) => each.id === sector);
  const where = { sector: () => (area ? named(area) : sector), position: () => [lat, lon].filter(Boolean).join(", ") }[how];
  const text = where ? where() : known ? placeName(known) : words;
  const moment = edtf(form.when);
  return html`<p class="about"><strong>${text || t("report.where.none")}</strong><br />${moment ? inWords(moment) : t("report.when.none")}</p>`;
}

const Draft = ({ report }) => html`<li class="card">
  <${About} form=${report.form} />
  <div class="row">
    <button type="button" class="large" onClick=${() => open(report)}>${t("report.continue")}</button>
    <${Discard} act=${() => discard(report.id)} />
  </div>
</li>`;

const Queued = ({ report, sending }) => html`<li class="card">
  <${About} form=${report.form} />
  ${report.attempts > 0 && html`<p class="hint">${t("report.attempted", { count: report.attempts })}</p>`}
  <div class="row">
    ${!report.attempts && !sending && html`<button type="button" class="large" onClick=${() => open(report)}>${t("report.take_back")}</button>`}
    <${Discard} act=${() => discard(report.id)} />
  </div>
</li>`;

const Refused = ({ report }) => html`<li class="card">
  <${About} form=${report.form} />
  <${Refusal} problem=${report.problem} />
  <div class="row">
    ${report.problem.status === 409
      ? html`<button type="button" class="large" onClick=${() => again(report)}>${t("report.as_new")}</button>`
      : html`<button type="button" class="large" onClick=${() => open(report)}>${t("report.correct")}</button>`}
    <${Discard} act=${() => discard(report.id)} />
  </div>
</li>`;

const Late = ({ photo }) => html`<li class="card">
  <p class="hash"><code>${photo.sha256.slice(0, SHORT)}…</code></p>
  ${photo.problem && html`<${Refusal} problem=${photo.problem} />
    <div class="row">
      <button type="button" class="large" onClick=${() => retry(photo)}>${t("report.try")}</button>
      <${Discard} act=${() => detach(photo)} />
    </div>`}
</li>`;

function Receipt({ receipt }) {
  const { id, received, sha256, status, photos, kept } = receipt;
  return html`<li class="card receipt">
    <p class="done"><strong>✓ ${t("report.received")}</strong></p>
    <dl>
      <dt>${t("report.receipt.id")}</dt><dd><code>${id}</code></dd>
      <dt>${t("report.receipt.time")}</dt><dd>${inWords(received)}</dd>
      <dt>${t("report.receipt.status")}</dt><dd>${coded("status", status)}</dd>
      <dt>SHA-256</dt><dd><code title=${sha256}>${sha256.slice(0, SHORT)}…</code></dd>
      ${photos.length > 0 && html`<dt>${t("report.photos")}</dt><dd>${photos.map((photo) => html`<code>${photo.sha256.slice(0, SHORT)}…</code> `)}</dd>`}
    </dl>
    <p class="hint">${t(kept ? "report.receipt.kept" : "report.receipt.hint")}</p>
    <div class="row">
      ${!kept && html`<button type="button" class="large" onClick=${() => keepReceipt(receipt)}>${t("report.receipt.keep")}</button>`}
      <button type="button" class="large quiet" onClick=${() => dropReceipt(receipt)}>${t("report.receipt.drop")}</button>
    </div>
  </li>`;
}
