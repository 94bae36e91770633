/** The review desk: who may sit at it, and which of its two tables is looked at. */

import { Key, open } from "../frame.js";
import { html, useEffect, useState } from "../library.js";
import { has, t } from "../language.js";
import { ask, key } from "../service.js";
import { Leads } from "./leads.js";
import { forget } from "./memory.js";
import { go, usePlace } from "./place.js";
import { Reference, read } from "./reference.js";
import { Reports } from "./reports.js";
import { refusal } from "./refusals.js";

function Page() {
  const [asked, setAsked] = useState(0);
  const again = () => {
    if (key() === null) forget();
    setAsked(asked + 1);
  };
  return html`
    <h1>${t("review.title")}</h1>
    <${Door} key=${asked} again=${again} />
  `;
}

function Door({ again }) {
  const [state, setState] = useState({ holder: null, reference: null, failed: null });
  useEffect(() => {
    if (key() === null) return;
    const enter = async () => {
      const holder = await ask("/v1/keys/self");
      const reference = holder.may.includes("review") ? await read() : null;
      setState({ holder, reference, failed: null });
    };
    enter().catch((problem) => setState({ holder: null, reference: null, failed: problem }));
  }, []);
  if (key() === null)
    return html`<div class="card door"><p>${t("door.key")}</p><${Key} changed=${again} /></div>`;
  if (state.failed)
    return html`<div class="card door"><p class="failed" role="alert">${refusal(state.failed)}</p><${Key} changed=${again} /></div>`;
  if (state.holder === null) return html`<p class="hint filling">${t("loading")}</p>`;
  if (state.reference === null)
    return html`<div class="card door">
      <h2>${t("door.refused")}</h2>
      <p>${reasonFor(state.holder)}</p>
      <${Key} changed=${again} />
    </div>`;
  return html`<${Reference.Provider} value=${state.reference}><${Tables} again=${again} /><//>`;
}

function reasonFor(holder) {
  if (holder.read_only) return t("door.read_only");
  const role = has(`role.${holder.role}`) ? t(`role.${holder.role}`) : holder.role;
  return t("door.role", { role });
}

function Tables({ again }) {
  const place = usePlace();
  const leads = place.view === "leads";
  const link = (view, current) => html`<a
    href=${view === "leads" ? "?view=leads" : "?"}
    aria-current=${current ? "page" : undefined}
    onClick=${(event) => {
      event.preventDefault();
      go(view === "leads" ? { view } : {});
    }}
    >${t(`view.${view}`)}</a
  >`;
  return html`
    <div class="tables">
      <nav aria-label=${t("view")}>${link("reports", !leads)} ${link("leads", leads)}</nav>
      <${Key} changed=${again} />
    </div>
    ${leads ? html`<${Leads} chosen=${place.lead} />` : html`<${Reports} chosen=${place.report} />`}
  `;
}

open("review", Page);
