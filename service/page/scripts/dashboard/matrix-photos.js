/** Photos of reports, as far as the reader is shown their copies. */

import { html, useEffect, useState } from "../library.js";
import { t } from "../language.js";
import { answer, ask } from "../service.js";
import { nameOf } from "./matrix-words.js";

/** A row of the table of claims; nothing where there is no photo. */
export function Photos({ side, reference }) {
  const [photos, setPhotos] = useState({});
  const ids = side.flatMap((column) => column.claims.map((claim) => claim.id)).join();
  useEffect(() => {
    let wanted = true;
    setPhotos({});
    for (const id of ids.split(",").filter(Boolean)) {
      ask(`/v1/reports/${id}/photos`)
        .then(({ items }) => wanted && setPhotos((before) => ({ ...before, [id]: items.filter((photo) => photo.image) })))
        .catch(() => {});
    }
    return () => {
      wanted = false;
    };
  }, [ids]);
  const of = (column) => column.claims.flatMap((claim) => photos[claim.id] ?? []);
  if (!side.some((column) => of(column).length)) return null;
  return html`<tr>
    <th scope="row">${t("matrix.row.photos")}</th>
    ${side.map(
      (column) => html`<td key=${column.claimant} class=${of(column).length ? "" : "silent"}>
        ${of(column).map((photo, at) => html`<${Photo} key=${photo.id} photo=${photo} words=${t("matrix.photo", { number: at + 1, claimant: nameOf(reference, "claimants", column.claimant) })} />`)}
        ${of(column).length === 0 && t("matrix.none")}
      </td>`,
    )}
  </tr>`;
}

function Photo({ photo, words }) {
  const [source, setSource] = useState(null);
  useEffect(() => {
    let made = null;
    let wanted = true;
    answer(`/v1/photos/${photo.id}`)
      .then((got) => got.blob())
      .then((blob) => {
        if (!wanted) return;
        made = URL.createObjectURL(blob);
        setSource(made);
      })
      .catch(() => {});
    return () => {
      wanted = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [photo.id]);
  const { width, height } = photo.image;
  return html`<img class="photo" src=${source} alt=${words} width=${width} height=${height} />`;
}
