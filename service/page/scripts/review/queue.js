/** The list of what waits for a decision, gravest first and of equals the oldest. */

import { html, useContext } from "../library.js";
import { coded, t } from "../language.js";
import { when } from "../when.js";
import { isProposed } from "./account.js";
import { go } from "./place.js";
import { refusal } from "./refusals.js";
import { Reference, nameOf } from "./reference.js";
import { OUTCOMES, figure, whenOf, whereOf } from "./telling.js";

export function Queue({ queue, chosen }) {
  const { items, waiting, failed } = queue;
  return html`<nav class="queue" aria-label=${t("queue")} aria-busy=${String(items === null && !failed)}>
    <h2>${t("queue")}</h2>
    ${failed && html`<p class="failed" role="alert">${refusal(failed)}</p>`}
    ${items === null && !failed && html`<p class="hint">${t("loading")}</p>`}
    ${items !== null && html`<p class="hint">${t("queue.waiting", { count: waiting })}${items.length < waiting && ` ${t("queue.first", { shown: items.length })}`}</p>`}
    <ol class="plain">
      ${(items ?? []).map((item) => html`<li key=${item.report.id}><${Entry} item=${item} current=${item.report.id === chosen} /></li>`)}
    </ol>
  </nav>`;
}

function Entry({ item, current }) {
  const reference = useContext(Reference);
  const { report, gravity, own, contradicted_by: against, candidates } = item;
  const look = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ report: report.id });
  };
  const marks = [
    isProposed(report) && t("queue.proposed"),
    against.length > 0 && `≠ ${t("queue.contradicted", { count: against.length })}`,
    candidates.length > 0 && t("queue.candidates", { count: candidates.length }),
    report.flags.length > 0 && `⚑ ${t("queue.doubts", { count: report.flags.length })}`,
    own && t("queue.own"),
  ].filter(Boolean);
  return html`<a href=${`?report=${report.id}`} class=${`entry gravity-${gravity}`} aria-current=${current ? "true" : undefined} onClick=${look}>
    <span class="first">
      <span class="gravity"><span aria-hidden="true">${"▲".repeat(gravity) || "△"}</span><span class="visually-hidden">${coded("gravity", gravity)}</span></span>
      <strong>${whenOf(report)}</strong>
    </span>
    <span>${whereOf(reference, report.where)}</span>
    <span dir="auto">${nameOf(reference, "claimants", report.claimant)}</span>
    ${harm(report) && html`<span>${harm(report)}</span>`}
    <span class="hint">${[t("queue.since", { day: when(report.received) }), ...marks].join(" · ")}</span>
  </a>`;
}

/** The first two figures that a report tells, in short. */
function harm(report) {
  const told = OUTCOMES.flatMap((outcome) =>
    report.casualties.filter((line) => line[outcome]).map((line) => `${coded("outcome", outcome)}: ${figure(line[outcome])}`),
  );
  return told.slice(0, 2).join("; ");
}
