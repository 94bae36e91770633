/** The documents behind claims and decisions. Nothing of them is fetched before it is asked for. */

import { html } from "../library.js";
import { t } from "../language.js";
import { when } from "../when.js";
import { webAddress } from "./matrix-words.js";

/** The sources of a claim. */
export const Documents = ({ value }) =>
  html`<ul>${value.map((source, at) => html`<li key=${at}><${Document} source=${source} /></li>`)}</ul>`;

/** What decisions about a claim rest on. */
export const Evidence = ({ value }) =>
  html`<ul>
    ${value.flatMap((review) =>
      review.evidence.map(
        (source, at) => html`<li key=${`${review.id} ${at}`}>
          <${Document} source=${source} />
          ${source.sha256 && html`<span class="hint">${t("matrix.digest")} <code>${source.sha256}</code></span>`}
        </li>`,
      ),
    )}
  </ul>`;

function Document({ source }) {
  const address = source.url && webAddress(source.url);
  const about = [source.publisher, source.published && when(source.published), source.locator].filter(Boolean);
  return html`${address
      ? html`<a href=${address} rel="noopener noreferrer" target="_blank"><bdi>${source.title}</bdi><span class="visually-hidden"> ${t("matrix.elsewhere")}</span><span aria-hidden="true"> ↗</span></a>`
      : html`<cite>${source.title}</cite>`}
    ${about.length > 0 && html`<span class="hint">${about.map((each, at) => html`${at > 0 && " · "}<bdi>${each}</bdi>`)}</span>`}`;
}
