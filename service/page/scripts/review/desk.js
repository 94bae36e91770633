/** What lies on the desk and what is done at it: the queue, one report, decisions and taking back. */

import { useEffect, useRef, useState } from "../library.js";
import { t } from "../language.js";
import { ask } from "../service.js";
import { DECISIONS, decisionOf } from "./decision.js";
import { useKept } from "./memory.js";
import { saveOriginal } from "./photos.js";
import { go } from "./place.js";
import { refusal } from "./refusals.js";

const EMPTY = { items: null, waiting: 0, failed: null };

/** A report with all that a reviewer looks at beside it. Throws `Problem`. */
async function read(id) {
  const report = await ask(`/v1/reports/${id}`);
  const items = async (path) => (await ask(path)).items;
  const [incident, candidates, revisions, photos, steps] = await Promise.all([
    ask(`/v1/incidents/${report.incident}`),
    items(`/v1/reports/${id}/candidates`),
    items(`/v1/reports/${id}/revisions`),
    items(`/v1/reports/${id}/photos`),
    items(`/v1/incidents/${report.incident}/groupings`),
  ]);
  return { report, incident, candidates, revisions, photos, steps, failed: null };
}

/**
 * The desk over the report `chosen` (its id, or null for the first that waits).
 *
 * `file` is what `read` answers, or only its report as the queue told it until the rest is there.
 * `form` says which form is open, `draft` what was typed into it; drafts outlive their forms.
 * `done` holds what can be taken back, the latest last; `notice` what happened last, in words.
 */
export function useDesk(chosen) {
  const [queue, setQueue] = useState(EMPTY);
  const [file, setFile] = useState(null);
  const [selected, select] = useState(null);
  const [form, setForm] = useState(null);
  const [drafts, setDrafts] = useKept("drafts", {});
  const [done, setDone] = useKept("done", []);
  const [notice, setNotice] = useState("");
  const latest = useRef(chosen);
  latest.current = chosen;
  // Whoever moves on hears of the next report; whoever arrives is left alone.
  const arrived = useRef(false);
  const opener = useRef(null);

  const lineUp = () =>
    ask("/v1/reviews/queue")
      .then((got) => setQueue({ ...got, failed: null }))
      .catch((failed) => setQueue((before) => ({ ...before, failed })));

  /** Lay a report on the desk as it is now; answers its revision, or null where it cannot be read. */
  const open = async (id) => {
    try {
      const got = await read(id);
      if (latest.current !== id) return got.report.revision;
      setFile(got);
      select((before) => (got.candidates.some((each) => each.incident === before) ? before : got.candidates[0]?.incident ?? null));
      return got.report.revision;
    } catch (failed) {
      if (latest.current === id) setFile((before) => ({ ...(before?.report.id === id ? before : {}), failed }));
      return null;
    }
  };

  useEffect(() => void lineUp(), []);
  useEffect(() => {
    setForm(null);
    const waiting = queue.items?.find((item) => item.report.id === chosen);
    setFile(waiting ? { report: waiting.report, failed: null } : null);
    if (chosen) open(chosen);
  }, [chosen]);
  useEffect(() => {
    if (!chosen && queue.items?.length > 0) go({ report: queue.items[0].report.id }, { replace: true });
  }, [chosen, queue.items]);

  const slot = form && `${file?.report?.id}:${form.kind}`;
  const draft = drafts[slot] ?? form?.begins ?? {};
  const change = (value) => setDrafts((before) => ({ ...before, [slot]: value }));
  const start = (kind, more = {}) => {
    opener.current = document.activeElement;
    setForm({ kind, ...more });
  };
  /** What opened the form has the focus again, where it is still there. */
  const cancel = () => {
    opener.current?.focus();
    setForm(null);
  };
  const finish = (words) => {
    setDrafts((before) => ({ ...before, [slot]: undefined }));
    setForm(null);
    setNotice(words);
  };

  /** Ask for a change; whoever else changed something meanwhile is seen before it is tried again. */
  const send = async (path, json, revision) => {
    const headers = revision ? { "If-Match": `"${revision}"` } : {};
    try {
      return await ask(path, { method: "POST", json, headers });
    } catch (problem) {
      if ([404, 409, 412].includes(problem.status)) await open(latest.current);
      throw problem;
    }
  };

  const neighbour = (step) => {
    const ids = queue.items?.map((item) => item.report.id) ?? [];
    const place = ids.indexOf(chosen);
    return place < 0 ? ids[0] : ids[place + step];
  };

  const move = (step) => {
    const next = neighbour(step);
    if (next) go({ report: next });
    else setNotice(t("queue.end"));
  };

  const decide = async (status) => {
    const { report } = file;
    const told = await send(`/v1/reports/${report.id}/reviews`, decisionOf(status, draft, report.flags), report.revision);
    const former = status
      ? { status: report.status, basis: report.basis, ...(report.grade ? { grade: report.grade } : {}) }
      : report.grade && { grade: report.grade };
    const revisions = { base: report.revision, revision: told.revision };
    if (former) setDone((before) => [...before, { kind: "review", report: report.id, former, ...revisions }]);
    const next = status ? neighbour(1) ?? neighbour(-1) : null;
    const applied = told.status === status;
    finish(t(!status ? "done.graded" : applied ? "done.decided" : "done.proposed", { status: t(`status.${status ?? told.status}`) }));
    if (next) go({ report: next });
    else await open(report.id);
    await lineUp();
  };

  const group = async (how) => {
    const { report, incident } = file;
    const { reason } = draft;
    const asked = {
      merge: [selected, "merge", { incidents: [incident.id], reason }],
      link: [selected, "links", { reports: [report.id], reason }],
      part_of: [incident.id, "links", { part_of: selected, reason }],
      split: [incident.id, "split", { reports: [report.id], reason }],
    };
    const [target, action, json] = asked[how];
    const step = await send(`/v1/incidents/${target}/${action}`, json);
    const entry = { kind: "step", report: report.id, step: step.id, base: report.revision, revision: null };
    setDone((before) => [...before, entry]);
    finish(t(`done.${how}`));
    const revision = await open(report.id);
    setDone((before) => before.map((each) => (each === entry ? { ...entry, revision } : each)));
    await lineUp();
  };

  /** What is taken back is forgotten; what came right before it can be taken back in its turn. */
  const forget = (entry, revision) =>
    setDone((before) =>
      before
        .filter((each) => (entry.step ? each.step !== entry.step : each !== entry))
        .map((each) => (each.report === entry.report && each.revision === entry.base ? { ...each, revision } : each)),
    );

  const takeBack = async (entry) => {
    const { reason } = draft;
    try {
      if (entry.kind === "review")
        await send(`/v1/reports/${entry.report}/reviews`, { ...entry.former, reason }, entry.revision);
      else await send(`/v1/groupings/${entry.step}/undo`, { reason });
    } catch (problem) {
      if (![409, 412].includes(problem.status)) throw problem;
      forget(entry);
      finish(t("undo.impossible"));
      return;
    }
    finish(t("done.undone"));
    go({ report: entry.report });
    latest.current = entry.report;
    forget(entry, await open(entry.report));
    await lineUp();
  };

  const show = async ({ photo, released }) => {
    await send(`/v1/photos/${photo.id}/${released ? "release" : "withdrawal"}`, { reason: draft.reason });
    finish(t(released ? "done.released" : "done.sealed"));
    await open(file.report.id);
  };

  const confirm = () => {
    if (form.kind === "undo") return takeBack(form.entry);
    if (form.kind === "photo") return show(form);
    if (form.kind === "grade" || form.kind in DECISIONS) return decide(form.kind === "grade" ? null : form.kind);
    return group(form.kind);
  };

  const startUndo = (entry) => {
    if (entry) start("undo", { entry, begins: { reason: t("undo.reason") } });
    else setNotice(t("undo.nothing"));
  };

  return {
    ...{ queue, file, selected, select, form, draft, notice, move, start, cancel, change, confirm },
    undo: (step) => startUndo(step ? { kind: "step", report: file.report.id, step: step.id } : done.at(-1)),
    undoable: done.length > 0,
    arrived,
    original: (photo) => saveOriginal(photo).catch((problem) => setNotice(refusal(problem))),
  };
}
