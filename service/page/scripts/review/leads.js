/** The table of leads: what sources wrote, the text with what was found in it, the draft beside it. */

import { html, useEffect, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { ask } from "../service.js";
import { when } from "../when.js";
import { Deciding } from "./forms.js";
import { Draft, beginning, reportOf, written } from "./draft.js";
import { Told } from "./found.js";
import { useKept } from "./memory.js";
import { go } from "./place.js";
import { refusal } from "./refusals.js";

export function Leads({ chosen }) {
  const [list, setList] = useState({ items: [], next: null, failed: null, read: false });
  const [notice, setNotice] = useState("");
  const arrived = useRef(false);
  const more = async (cursor) => {
    try {
      const got = await ask("/v1/leads", { parameters: { state: "open", cursor } });
      setList((before) => ({ ...got, items: cursor ? [...before.items, ...got.items] : got.items, failed: null, read: true }));
    } catch (failed) {
      setList((before) => ({ ...before, failed, read: true }));
    }
  };
  useEffect(() => void more(), []);
  useEffect(() => {
    if (!chosen && list.items.length > 0) go({ view: "leads", lead: list.items[0].id }, { replace: true });
  }, [chosen, list.items]);
  /** A lead is dealt with: the next one is looked at. */
  const settled = async (lead, words) => {
    const place = list.items.findIndex((each) => each.id === lead.id);
    const next = list.items[place + 1] ?? list.items[place - 1];
    setNotice(words);
    go({ view: "leads", lead: next?.id });
    await more();
  };
  return html`
    <p role="status" class="notice">${notice}</p>
    <div class="desk leads filling">
      <nav class="queue" aria-label=${t("leads")}>
        <h2>${t("leads")}</h2>
        ${list.failed && html`<p class="failed" role="alert">${refusal(list.failed)}</p>`}
        ${list.read && list.items.length === 0 && html`<p class="hint">${t("leads.empty")}</p>`}
        <ol class="plain">
          ${list.items.map((lead) => html`<li key=${lead.id}><${Entry} lead=${lead} current=${lead.id === chosen} /></li>`)}
        </ol>
        ${list.next && html`<button type="button" onClick=${() => more(list.next)}>${t("more")}</button>`}
      </nav>
      ${chosen && html`<${Lead} key=${chosen} id=${chosen} settled=${settled} arrived=${arrived} />`}
    </div>
  `;
}

function Entry({ lead, current }) {
  const look = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ view: "leads", lead: lead.id });
  };
  return html`<a href=${`?view=leads&lead=${lead.id}`} class="entry" aria-current=${current ? "true" : undefined} onClick=${look}>
    <strong dir="auto">${lead.title || lead.text.slice(0, 80)}</strong>
    <span class="hint">${[lead.source, lead.published && when(lead.published)].filter(Boolean).join(" · ")}</span>
  </a>`;
}

function Lead({ id, settled, arrived }) {
  const [lead, setLead] = useState(null);
  const [failed, setFailed] = useState(null);
  const [drafts, setDrafts] = useKept(`lead ${id}`, null);
  const [wrong, setWrong] = useState(null);
  const [reason, setReason] = useKept(`dismissal ${id}`, {});
  const [dismissing, setDismissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const heading = useRef(null);
  const aside = useRef(null);
  const left = useRef(false);
  const open = async () => {
    try {
      const got = await ask(`/v1/leads/${id}`);
      if (left.current) return;
      setLead(got);
      setDrafts((before) => before ?? [beginning(got.draft)]);
    } catch (problem) {
      setFailed(problem);
    }
  };
  useEffect(() => {
    open();
    return () => {
      left.current = true;
    };
  }, []);
  useEffect(() => {
    if (!lead) return;
    if (arrived.current) heading.current.focus();
    arrived.current = true;
  }, [lead?.id]);
  if (failed) return html`<p class="card failed" role="alert">${refusal(failed)}</p>`;
  if (!lead || !drafts) return html`<p class="card hint">${t("loading")}</p>`;

  const put = (place, draft) => setDrafts(drafts.map((each, i) => (i === place ? draft : each)));
  /** Somebody else may have dealt with it; what was typed stays. */
  const send = async (path, json) => {
    try {
      return await ask(`/v1/leads/${id}/${path}`, { method: "POST", json });
    } catch (problem) {
      if (problem.status === 409) await open();
      throw problem;
    }
  };
  const accept = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setWrong(null);
    try {
      const { reports } = await send("reports", { reports: drafts.map(reportOf) });
      await settled(lead, t("leads.accepted", { count: reports.length }));
    } catch (problem) {
      setWrong(problem);
      setBusy(false);
    }
  };
  const dismiss = async () => {
    await send("dismissal", reason);
    await settled(lead, t("leads.dismissed"));
  };
  const cancel = () => {
    aside.current.focus();
    setDismissing(false);
  };
  const use = (kind, found) => put(drafts.length - 1, USE[kind](drafts.at(-1), found));
  const isOpen = lead.state === "open";
  return html`
    <article class="card account" aria-labelledby="lead">
      <header>
        <h2 id="lead" tabindex="-1" ref=${heading} dir="auto">${lead.title || t("leads.untitled")}</h2>
        <p class="hint">
          ${[lead.source, lead.published && when(lead.published)].filter(Boolean).join(" · ")}
          ${/^https?:\/\//.test(lead.url ?? "") && html` · <a href=${lead.url} rel="noreferrer noopener" target="_blank">${t("leads.there")}<span class="visually-hidden"> ${t("sources.opens")}</span></a>`}
        </p>
        ${!isOpen && html`<p class="own" role="alert">${t(`leads.state.${lead.state}`)}${lead.reason && ` – ${lead.reason}`}</p>`}
        ${lead.reports.map((report) => html`<p><a href=${`?report=${report}`}>${t("leads.report")}</a></p>`)}
      </header>
      <${Told} lead=${lead} use=${use} />
      <p class="hint">${t("leads.hash")} <code class="hash">SHA-256 ${lead.sha256}</code></p>
    </article>
    <section class="card evidence" aria-labelledby="drafts">
      <h2 id="drafts">${t("draft")}</h2>
      <p class="hint">${t("draft.hint")}</p>
      <form class="draft" onSubmit=${accept} aria-labelledby="drafts">
        ${drafts.map((draft, place) => html`<${Draft} key=${place} draft=${draft} place=${place} of=${drafts.length} lead=${lead} wrong=${wrong} change=${(value) => put(place, value)} remove=${() => setDrafts(drafts.filter((_, i) => i !== place))} />`)}
        ${wrong && html`<p class="failed" role="alert">${wrong.status === 409 ? t("leads.meanwhile") : wrong.errors.length > 0 ? t("draft.wrong") : refusal(wrong)}</p>`}
        <p class="actions">
          <button type="submit" class="main" disabled=${busy || !isOpen}>${t("leads.accept", { count: drafts.length })}</button>
          <button type="button" disabled=${!isOpen} onClick=${() => setDrafts([...drafts, beginning(lead.draft)])}>${t("draft.another")}</button>
          <button type="button" ref=${aside} disabled=${!isOpen} onClick=${() => setDismissing(true)}>${t("leads.dismiss")}</button>
        </p>
      </form>
      ${dismissing && isOpen && html`<${Deciding} title=${t("leads.dismiss")} explain=${t("leads.dismiss.why")} value=${reason} change=${setReason} confirm=${dismiss} cancel=${cancel} />`}
    </section>
  `;
}

/** What becomes of a draft when something found in the text is used in it. */
const USE = {
  dates: (draft, found) => ({ ...draft, when: found.edtf }),
  places: (draft, found) => ({ ...draft, place: found.place }),
  weapons: (draft, found) => ({
    ...draft,
    weapons: [...draft.weapons.filter((each) => each.weapon), { weapon: found.weapon, calibre: found.calibre_mm ?? "" }],
  }),
  counts: (draft, found) => ({
    ...draft,
    casualties: counted(draft.casualties, found),
  }),
};

/** A count goes where its group has a line, else into a line of its own. */
function counted(lines, found) {
  const group = found.group ?? "";
  const place = lines.findIndex((line) => line.group === group);
  const words = found.words ?? found.text;
  const count = found.figure ? { low: found.figure.low, high: found.figure.high ?? undefined, words } : { words };
  const put = (line) => ({ ...line, [found.outcome]: written(count), drafted: { ...line.drafted, [found.outcome]: count } });
  if (place < 0) return [...lines, put({ party: "", group })];
  return lines.map((line, i) => (i === place ? put(line) : line));
}
