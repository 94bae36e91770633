/** What follows below the headline: pictures, the table, the list, and what is looked at now and then. */

import { html } from "../library.js";
import { t } from "../language.js";
import { Incidents } from "./incidents.js";
import { bucketName, sectorName } from "./labels.js";
import { MapView } from "./map.js";
import { Panels } from "./panels.js";
import { listed } from "./state.js";
import { Sums } from "./sums.js";
import { Timeline } from "./timeline.js";

/** All of it, for one question. */
export const Below = (props) => html`<div class="pictures">
    <${MapView} ...${props} />
    <${Timeline} ...${props} />
  </div>
  <${Sums} ...${props} />
  <${Chosen} ...${props} />
  <${Incidents} ...${props} filters=${listed(props.filters, props.view, props.reference.periods)} />
  <${Panels} ...${props} />`;

/** Which cell of the table the list below shows, with the way back to all. */
function Chosen({ view, set, reference }) {
  if (!view.bucket) return null;
  const where = view.cell && sectorName(view.cell, view.within, reference);
  const cell = [bucketName(view.bucket, view.grain, reference), where].filter(Boolean).join(", ");
  return html`<p class="chosen-cell">
    ${t("sums.chosen", { cell })}${" "}
    <button type="button" onClick=${() => set({ bucket: "", cell: "", within: "" })}>${t("sums.chosen.all")}</button>
  </p>`;
}
