/** What is looked at now and then: each part is fetched when it is opened, and its opening is a link. */

import { html } from "../library.js";
import { t } from "../language.js";
import { Fetched } from "./fetched.js";
import { Unfold } from "./fields.js";

const PANELS = {
  past: () => import("./past.js"),
  claimants: () => import("./claimants.js"),
  periods: () => import("./periods.js"),
  silence: () => import("./silence.js"),
  quiet: () => import("./quiet.js"),
  tallies: () => import("./tallies.js"),
};

/** All panels, of which `view.open` names those that are open. */
export function Panels(props) {
  const open = new Set(props.view.open.split(",").filter(Boolean));
  const toggle = (name) => () => {
    if (!open.delete(name)) open.add(name);
    props.set({ open: [...open].join(",") });
  };
  return html`<div class="panels">
    ${Object.keys(PANELS).map(
      (name) => html`<section key=${name} class="card panel" id=${`panel-${name}`} aria-labelledby=${`title-${name}`}>
        <h2 id=${`title-${name}`}>
          <${Unfold} open=${open.has(name)} toggle=${toggle(name)} controls=${`content-${name}`}>${t(`panel.${name}`)}<//>
        </h2>
        <div id=${`content-${name}`} hidden=${!open.has(name)}>${open.has(name) && html`<${Fetched} start=${async () => (await PANELS[name]()).Content} props=${props} />`}</div>
      </section>`,
    )}
  </div>`;
}
