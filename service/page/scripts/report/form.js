/** The form: short at first, and all of it for who has more to tell. */

import { html, useEffect, useRef, useState } from "../library.js";
import { coded, t } from "../language.js";
import { Blame, Casualties, Photos, Sources, Summary, Weapons } from "./asking_more.js";
import { When } from "./asking_when.js";
import { Where } from "./asking_where.js";
import { Who } from "./asking_who.js";
import { isReversed, missing } from "./content.js";
import { Discard } from "./fields.js";
import { useReport } from "./state.js";
import { attach, change, detach, discard, submit } from "./writing.js";

/** What of the form is beyond the short one, and was filled all the same. */
const beyond = ({ weapons, casualties, attributed_to: blamed, stance, summary, sources }) =>
  Boolean(weapons.length || casualties.length || blamed || stance !== "asserts" || summary || sources.length);

/** The report that is being written. */
export function Form() {
  const { draft, kept, reference, checked, written, unsaved, online, opened, skew } = useReport();
  const { form } = draft;
  const whole = useRef(null);
  useEffect(() => {
    if (opened) whole.current.querySelector(".refusal, :checked").focus();
  }, []);
  const photos = kept.photos.filter((photo) => photo.report === draft.id);
  const [more, setMore] = useState(() => beyond(form) || photos.length > 0);
  const lacking = checked ? missing(form) : [];
  const wrong = (part) => (lacking.includes(part) ? t(`report.need.${part}`) : null);
  const wrongWhen = isReversed(form.when) ? t("report.need.order") : t("report.need.when");
  const set = (part) => (value) => change({ [part]: value });
  const wanting = unsaved ? t("report.unsaved") : lacking.length > 0 ? t("report.lacking") : "";
  const state = draft.changed ? t(written === draft ? "report.saved" : "report.saving") : t("report.short");
  const finish = async (event) => {
    event.preventDefault();
    const [first] = await submit();
    if (!first) return;
    if (["casualties", "about", "sources"].includes(first)) setMore(true);
    setTimeout(() => reach(first));
  };
  return html`<form ref=${whole} class="report" novalidate onSubmit=${finish} aria-label=${t("report.write")}>
    ${draft.problem && html`<${Refusal} problem=${draft.problem} />`}
    <${When} value=${form.when} change=${set("when")} zone=${reference.theatre?.timezone} skew=${skew} wrong=${wrong("when") && wrongWhen} />
    <${Where} value=${form.where} change=${set("where")} places=${reference.places} sectors=${reference.sectors} wrong=${wrong("where")} />
    <${Who} value=${form.who} change=${set("who")} claimants=${reference.claimants} wrong=${wrong("claimant")} />
    <button type="button" class="large more" aria-expanded=${String(more)} onClick=${() => setMore(!more)}>${t(more ? "report.less" : "report.more")}</button>
    ${more &&
    html`<${Summary} value=${form.summary} change=${set("summary")} />
      <${Casualties} value=${form.casualties} change=${set("casualties")} parties=${reference.parties} wrong=${wrong("casualties")} />
      <${Weapons} value=${form.weapons} change=${set("weapons")} weapons=${reference.weapons} />
      <${Photos} photos=${photos} attach=${attach} detach=${detach} />
      <${Blame} form=${form} change=${change} parties=${reference.parties} wrong=${wrong("about")} />
      <${Sources} value=${form.sources} change=${set("sources")} wrong=${wrong("sources")} />`}
    <div class="send">
      <p role="status" class="failed">${wanting}</p>
      ${!wanting && html`<p>${state}</p>`}
      <div class="row">
        ${draft.changed && html`<${Discard} act=${() => discard(draft.id)} />`}
        <button type="submit" class="main large">${t(online ? "report.send" : "report.send.later")}</button>
      </div>
    </div>
  </form>`;
}

/** Bring the first field of a part that lacks something before the eyes, and the keyboard. */
function reach(part) {
  const whole = document.getElementById(`part-${part}`);
  const field = whole?.querySelector("[aria-invalid=true]") ?? whole?.querySelector("input, select, textarea");
  field?.focus();
  whole?.scrollIntoView({ block: "start" });
}

/** What the service refused, field by field in its own words. */
export function Refusal({ problem }) {
  const { status, detail, errors } = problem;
  const words = (field) => coded("report.field", field.split(".")[0]);
  return html`<div class="refusal" role="group" tabindex="-1" aria-label=${t("report.refused")}>
    <p class="failed"><strong>${t("report.refused")}</strong> ${t(status === 409 ? "report.refused.conflict" : "report.refused.why")}</p>
    <ul>
      ${errors.length > 0
        ? errors.map(({ field, message }) => html`<li>${field && html`<strong>${words(field)}</strong> `}<span lang="en">${field && html`<code>${field}</code> `}${message}</span></li>`)
        : html`<li lang="en">${detail} (${status})</li>`}
    </ul>
  </div>`;
}
