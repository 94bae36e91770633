/** What the shades, hatchings and sizes of the map mean. */

import { html } from "../library.js";
import { coded, t } from "../language.js";
import { STATUSES, fillOf } from "../statuses.js";
import { stepOf } from "./map-classes.js";
import { classed } from "./map-sectors.js";

const Swatch = ({ shade, label }) => html`<li>
  <svg width="28" height="18" aria-hidden="true"><rect class=${`sector ${shade}`} x="1" y="1" width="26" height="16" /></svg>
  <span>${label}</span>
</li>`;

const Circle = ({ status, precision, r, label }) => html`<li>
  <svg width="28" height="22" aria-hidden="true"><g class=${`mark ${precision} ${status}`} transform="translate(14 11)"><circle class="shape" r=${r} fill=${fillOf("map", status)} /></g></svg>
  <span>${label}</span>
</li>`;

/** `kinds` are those of `shown` that the map has, `statuses` those of its marks. */
export const Legend = ({ measure, steps, kinds, statuses, contested }) => html`<div class="legend">
  <div>
    <h3>${measure}</h3>
    <ul>
      ${kinds.has("none") && html`<${Swatch} shade="is-none" label=${t("map.legend.none")} />`}
      ${steps.map((step, index) => html`<${Swatch} key=${index} shade=${`step-${stepOf(index, steps.length)}`} label=${classed(step)} />`)}
      ${kinds.has("open") && html`<${Swatch} shade="is-open" label=${t("map.legend.open")} />`}
      ${kinds.has("unknown") && html`<${Swatch} shade="is-unknown" label=${t("map.legend.unknown")} />`}
      ${kinds.has("silent") && html`<${Swatch} shade="is-silent" label=${t("map.legend.silent")} />`}
    </ul>
  </div>
  ${statuses.size > 0 &&
  html`<div>
    <h3>${t("map.legend.marks")}</h3>
    <ul>
      ${STATUSES.filter((status) => statuses.has(status)).map((status) => html`<${Circle} key=${status} status=${status} precision="settlement" r="7" label=${coded("status", status)} />`)}
      ${contested && html`<li><span class="contested-mark" aria-hidden="true">≠</span> <span>${coded("status", "contested")}</span></li>`}
      <${Circle} status="unverified" precision="settlement" r="5" label=${t("map.legend.settlement")} />
      <${Circle} status="unverified" precision="district" r="10" label=${t("map.legend.district")} />
    </ul>
  </div>`}
  <p class="hint">${t("map.legend.sector")}</p>
</div>`;
