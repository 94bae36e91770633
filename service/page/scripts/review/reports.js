/** The table of reports: what waits, the report that is looked at, and what there is beside it. */

import { html, useContext, useEffect, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { Account, Standing } from "./account.js";
import { Beside } from "./beside.js";
import { Candidates } from "./candidates.js";
import { DECISIONS, Decision } from "./decision.js";
import { useDesk } from "./desk.js";
import { Deciding } from "./forms.js";
import { Reviews, Revisions, Steps } from "./history.js";
import { Photos } from "./photos.js";
import { Queue } from "./queue.js";
import { refusal } from "./refusals.js";
import { Reference, nameOf } from "./reference.js";
import { Hint, Keys, useShortcuts, useSwitch } from "./shortcuts.js";
import { whenOf, whereOf } from "./telling.js";

export function Reports({ chosen }) {
  const desk = useDesk(chosen);
  const [keys, setKeys] = useSwitch();
  const [listing, list] = useState(false);
  const item = desk.queue.items?.find((each) => each.report.id === chosen);
  const own = item?.own ?? false;
  const ready = Boolean(desk.file?.incident) && !own;
  const begin = (kind) => () => ready && desk.start(kind);
  useShortcuts(keys, {
    ...Object.fromEntries(Object.entries(DECISIONS).map(([status, key]) => [key, begin(status)])),
    g: begin("grade"),
    m: () => desk.selected && desk.file?.incident && desk.start("merge"),
    z: () => desk.undo(),
    j: () => desk.move(1),
    k: () => desk.move(-1),
    "?": () => list(true),
  });
  return html`
    <div class="toolbar">
      <button type="button" onClick=${() => desk.move(-1)}>${t("previous")}<${Hint} on=${keys} name="k" /></button>
      <button type="button" onClick=${() => desk.move(1)}>${t("next")}<${Hint} on=${keys} name="j" /></button>
      <button type="button" disabled=${!desk.undoable} onClick=${() => desk.undo()}>${t("undo")}<${Hint} on=${keys} name="z" /></button>
      <button type="button" class="quiet" onClick=${() => list(true)}>${t("shortcuts")}<${Hint} on=${keys} name="?" /></button>
      <p role="status" class="notice">${desk.notice}</p>
    </div>
    ${listing && html`<${Keys} on=${keys} change=${setKeys} close=${() => list(false)} />`}
    <div class="desk filling">
      <${Queue} queue=${desk.queue} chosen=${chosen} />
      <${File} key=${chosen} desk=${desk} own=${own} item=${item} keys=${keys} begin=${begin} />
    </div>
  `;
}

function File({ desk, own, item, keys, begin }) {
  const { file, queue } = desk;
  const heading = useRef(null);
  const known = Boolean(file?.report);
  const writing = useRef(false);
  useEffect(() => {
    if (!known) return;
    if (desk.arrived.current) heading.current.focus();
    desk.arrived.current = true;
  }, [known]);
  useEffect(() => {
    const lost = document.activeElement === document.body;
    if (writing.current && !desk.form && lost) heading.current?.focus({ preventScroll: true });
    writing.current = desk.form !== null;
  }, [desk.form]);
  if (!known) {
    if (file?.failed) return html`<p class="card failed" role="alert">${refusal(file.failed)}</p>`;
    return html`<p class="card hint">${queue.items?.length === 0 ? t("queue.empty") : t("loading")}</p>`;
  }
  const { report } = file;
  return html`
    <article class="card account" aria-labelledby="account">
      <header>
        <h2 id="account" tabindex="-1" ref=${heading}><${Title} report=${report} /></h2>
        <${Standing} report=${report} />
        ${queue.items !== null && !item && html`<p class="hint">${t("queue.not")}</p>`}
        ${own && html`<p class="own">${t("refused.own")}</p>`}
        ${file.failed && html`<p class="failed" role="alert">${refusal(file.failed)}</p>`}
      </header>
      <${Account} report=${report} />
      ${file.incident && html`
        <${Photos} photos=${file.photos} original=${desk.original} decide=${(photo, released) => desk.start("photo", { photo, released })} />
        <${Reviews} reviews=${report.reviews} />
        <${Revisions} revisions=${file.revisions} />
        <${Steps} steps=${file.steps} undo=${desk.undo} />
      `}
      <${Bar} desk=${desk} own=${own} keys=${keys} begin=${begin} />
    </article>
    <aside class="card evidence" aria-label=${t("evidence.pane")}>
      ${file.incident ? html`<${Pane} desk=${desk} against=${item?.contradicted_by} keys=${keys} />` : !file.failed && html`<p class="hint">${t("loading")}</p>`}
    </aside>
  `;
}

function Title({ report }) {
  const reference = useContext(Reference);
  const claimant = nameOf(reference, "claimants", report.claimant);
  return html`<span dir="auto">${claimant}</span>: ${whereOf(reference, report.where)}, ${whenOf(report)}`;
}

/** What can be decided, or the form of what is being decided. */
function Bar({ desk, own, keys, begin }) {
  const { form, draft, file } = desk;
  const common = { value: draft, change: desk.change, confirm: desk.confirm, cancel: desk.cancel };
  if (form && (form.kind in DECISIONS || form.kind === "grade"))
    return html`<div class="bar"><${Decision} status=${form.kind === "grade" ? null : form.kind} report=${file.report} ...${common} /></div>`;
  if (form) {
    const [title, why] = wordsFor(form);
    // After a decision the next report is open, which is not the one that it was about.
    const other = form.kind === "undo" && form.entry.report !== file.report.id;
    const explain = other ? `${t("undo.other", { id: form.entry.report })} ${t(why)}` : t(why);
    return html`<div class="bar"><${Deciding} key=${title} title=${t(title)} explain=${explain} ...${common} /></div>`;
  }
  return html`<div class="bar" role="group" aria-label=${t("decide")}>
    ${Object.entries(DECISIONS).map(
      ([status, key]) => html`<button type="button" disabled=${own || !file.incident} onClick=${begin(status)}>${t(`decide.${status}`)}<${Hint} on=${keys} name=${key} /></button>`,
    )}
    <button type="button" disabled=${own || !file.incident} onClick=${begin("grade")}>${t("decide.grade")}<${Hint} on=${keys} name="g" /></button>
  </div>`;
}

/** The keys of what a form is called and of why it is asked for. */
function wordsFor({ kind, released }) {
  if (kind === "undo") return ["undo", "undo.why"];
  if (kind !== "photo") return [`group.${kind}`, `group.${kind}.why`];
  return released ? ["photos.release", "photos.release.why"] : ["photos.withdraw", "photos.withdraw.why"];
}

function Pane({ desk, against, keys }) {
  const { file, selected, select, start } = desk;
  const others = file.incident.claims.filter((each) => each.id !== file.report.id);
  return html`
    <section aria-labelledby="beside">
      <h2 id="beside">${t("beside")}</h2>
      ${others.length === 0
        ? html`<p class="hint">${t("beside.none")}</p>`
        : html`<${Beside} report=${file.report} others=${others} against=${against} title=${t("beside")} />`}
    </section>
    <${Candidates} report=${file.report} incident=${file.incident} candidates=${file.candidates} selected=${selected} select=${select} start=${start} keys=${keys} />
  `;
}
