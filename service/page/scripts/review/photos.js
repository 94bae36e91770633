/** Photos of a report: their copies, fetched with the key that an image element could not send. */

import { html, useEffect, useState } from "../library.js";
import { t } from "../language.js";
import { answer } from "../service.js";
import { refusal } from "./refusals.js";

/** The photos of a report; `decide(photo, released)` asks for the reason to show one or not. */
export function Photos({ photos, decide, original }) {
  if (photos.length === 0) return null;
  return html`<section aria-labelledby="photos">
    <h3 id="photos">${t("photos")}</h3>
    <ul class="photos">
      ${photos.map((photo, place) => html`<li key=${photo.id}><${Photo} photo=${photo} number=${place + 1} decide=${decide} original=${original} /></li>`)}
    </ul>
  </section>`;
}

function Photo({ photo, number, decide, original }) {
  const { image } = photo;
  return html`<figure>
    ${image ? html`<${Copy} photo=${photo} number=${number} />` : html`<p class="hint">${t("photos.erased")}</p>`}
    <figcaption>
      <p>${photo.released ? t("photos.released") : t("photos.sealed")}</p>
      ${photo.original && html`<p class="hint">${t("photos.original")}<br /><code class="hash">SHA-256 ${photo.original.sha256}</code></p>`}
      ${image && html`<p class="hint">${t("photos.copy", { width: image.width, height: image.height })}<br /><code class="hash">SHA-256 ${image.sha256}</code></p>`}
      ${image && html`<p class="actions">
        <button type="button" onClick=${() => decide(photo, !photo.released)}>${t(photo.released ? "photos.withdraw" : "photos.release")}</button>
        ${photo.original && html`<button type="button" onClick=${() => original(photo)}>${t("photos.open")}</button>`}
      </p>`}
    </figcaption>
  </figure>`;
}

function Copy({ photo, number }) {
  const [state, setState] = useState({ address: null, failed: null });
  useEffect(() => {
    const aborted = new AbortController();
    let address = null;
    const fetched = async () => {
      const got = await answer(`/v1/photos/${photo.id}`, { signal: aborted.signal });
      const bytes = await got.blob();
      if (aborted.signal.aborted) return;
      address = URL.createObjectURL(bytes);
      setState({ address, failed: null });
    };
    fetched().catch((problem) => {
      if (problem.name !== "AbortError") setState({ address: null, failed: problem });
    });
    return () => {
      aborted.abort();
      if (address) URL.revokeObjectURL(address);
    };
  }, [photo.id]);
  if (state.failed) return html`<p class="failed">${refusal(state.failed)}</p>`;
  return html`<img src=${state.address ?? undefined} alt=${t("photos.number", { number })} width=${photo.image.width} height=${photo.image.height} />`;
}

/** Save a photo as it came, which the service writes down. Throws `Problem`. */
export async function saveOriginal(photo) {
  const got = await answer(`/v1/photos/${photo.id}/original`);
  const address = URL.createObjectURL(await got.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = `${photo.id}.${photo.original.media_type.split("/")[1]}`;
  link.click();
  // The browser reads it after the click; a minute later it has.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
