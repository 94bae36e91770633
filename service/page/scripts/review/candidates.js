/** Incidents that a report may belong to, with what speaks for it, and what can be done about it. */

import { html, useContext, useEffect, useState } from "../library.js";
import { coded, number, t } from "../language.js";
import { ask } from "../service.js";
import { titleOf } from "../titles.js";
import { when } from "../when.js";
import { Beside } from "./beside.js";
import { inWords } from "./reasons.js";
import { Reference } from "./reference.js";
import { refusal } from "./refusals.js";
import { Hint } from "./shortcuts.js";

/**
 * `candidates` to choose one of (`selected`, its id); `start(mode)` begins a `merge`, `link`,
 * `part_of` with it, or a `split` of the report's own incident.
 */
export function Candidates({ report, incident, candidates, selected, select, start, keys }) {
  const others = incident.claims.length - 1;
  return html`<section aria-labelledby="candidates">
    <h2 id="candidates">${t("candidates")}</h2>
    ${candidates.length === 0 && html`<p class="hint">${t("candidates.none")}</p>`}
    ${candidates.length > 0 && html`<p class="hint">${t("candidates.hint")}</p>`}
    <div class="candidates" role="radiogroup" aria-labelledby="candidates">
      ${candidates.map((candidate) => html`<${Candidate} key=${candidate.incident} candidate=${candidate} chosen=${candidate.incident === selected} select=${select} />`)}
    </div>
    ${selected && html`
      <p class="actions">
        <button type="button" onClick=${() => start("merge")}>${t("group.merge")}<${Hint} on=${keys} name="m" /></button>
        <button type="button" onClick=${() => start("link")}>${t("group.link")}</button>
        <button type="button" onClick=${() => start("part_of")}>${t("group.part_of")}</button>
      </p>
      <${Chosen} key=${selected} report=${report} id=${selected} />
    `}
    ${others > 0 && html`<p class="actions"><button type="button" onClick=${() => start("split")}>${t("group.split")}</button></p>`}
  </section>`;
}

function Candidate({ candidate, chosen, select }) {
  const { incident, reasons, score, title } = candidate;
  const reference = useContext(Reference);
  return html`<label class="candidate">
    <input type="radio" name="candidate" checked=${chosen} onChange=${() => select(incident)} />
    <span>
      <strong dir="auto">${titleOf({ id: incident, title })}</strong>
      <span class="hint"> ${t("candidates.score", { score: number(score, { maximumFractionDigits: 1 }) })}</span>
      <ul>
        ${reasons.map(
          ({ matter, weight, says, told }) => html`<li>
            <span class=${weight < 0 ? "against" : "for"}>${number(weight, { signDisplay: "always", maximumFractionDigits: 1 })}</span>
            ${coded("matter", matter)}: <${Said} says=${says} told=${told} reference=${reference} />
          </li>`,
        )}
      </ul>
    </span>
  </label>`;
}

/** A reason in the reader's language; one that the page cannot tell in it stands as it is. */
function Said({ says, told, reference }) {
  const words = inWords(told, reference);
  return words === null ? html`<span lang="en">${says}</span>` : html`<span>${words}</span>`;
}

/** The candidate that is looked at, its claims beside the report's. */
function Chosen({ report, id }) {
  const [state, setState] = useState({ incident: null, failed: null });
  useEffect(() => {
    let left = false;
    ask(`/v1/incidents/${id}`)
      .then((incident) => left || setState({ incident, failed: null }))
      .catch((failed) => left || setState({ incident: null, failed }));
    return () => {
      left = true;
    };
  }, [id]);
  if (state.failed) return html`<p class="failed">${refusal(state.failed)}</p>`;
  if (!state.incident) return html`<p class="hint">${t("loading")}</p>`;
  const { incident } = state;
  return html`
    <p class="hint">${t("candidates.chosen", { when: when(incident.when), count: incident.claims.length })}</p>
    <${Beside} report=${report} others=${incident.claims} title=${t("candidates.beside")} />
  `;
}
