/** Who says so: the monitor, or somebody who was heard. */

import { html, useMemo } from "../library.js";
import { current, t } from "../language.js";
import { Chips, Field, Finder, Part } from "./fields.js";
import { namedToFind } from "./finding.js";

/** The question; nobody is asked for a name of their own. */
export function Who({ value, change, claimants, wrong }) {
  const set = (changes) => change({ ...value, ...changes });
  const entries = useMemo(() => namedToFind(claimants), [claimants, current()]);
  const chosen = entries.find((each) => each.id === value.claimant) ?? (value.claimant ? { label: value.claimant } : null);
  return html`<${Part} id="claimant" title=${t("report.who")} wrong=${wrong}>
    <${Chips} name="how-who" label=${t("report.who")} value=${value.how} change=${(how) => set({ how })}
      options=${["self", "heard"].map((each) => [each, t(`report.who.${each}`)])} />
    ${value.how === "self" && html`<p class="hint">${t("report.who.self.hint")}</p>`}
    ${value.how === "heard" &&
    html`<${Finder} id="claimant" label=${t("report.claimant")} hint=${t("report.claimant.hint")} entries=${entries} own whole wrong=${wrong}
        chosen=${chosen} text=${value.words} typed=${(words) => set({ words })} choose=${(entry) => set({ claimant: entry?.id ?? "" })} />
      <${Field} id="reported" type="date" label=${t("report.reported")} value=${value.reported} change=${(reported) => set({ reported })} />`}
  <//>`;
}
