/** Parts of the page that are fetched when they are first shown. */

import { html, useEffect, useState } from "../library.js";
import { t } from "../language.js";

/** The component that `start` promises, drawn with `props` once it is there; until then `filling` the view. */
export function Fetched({ start, props, filling = false }) {
  const [part, setPart] = useState(null);
  useEffect(() => {
    start().then(
      (Content) => setPart({ Content }),
      () => setPart({ failed: true }),
    );
  }, []);
  if (part?.failed) return html`<p class="failed" role="alert">${t("problem.offline")}</p>`;
  return part ? html`<${part.Content} ...${props} />` : html`<p class=${filling ? "hint filling" : "hint"} role="status">${t("loading")}</p>`;
}
