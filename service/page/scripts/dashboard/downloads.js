/** What is shown, as files: the picture as it looks, and the numbers as the service gives them. */

import { html, useState } from "../library.js";
import { t } from "../language.js";
import { answer, key } from "../service.js";
import { referenceNow } from "./data.js";
import { pictureOf } from "./picture.js";

/** Formats besides CSV that the service gives all numbers in. */
const OTHERS = { XLSX: "xlsx", Parquet: "parquet" };
/** How many pixels of a PNG stand for one on the screen. */
const DENSITY = 2;

/**
 * Links below a picture or table. `svg` is a ref to its SVG element, `csv` and `geojson` are
 * addresses of the service with their `format`, `name` begins the names of the files.
 */
export function Downloads({ svg, csv, geojson, name }) {
  const [failed, setFailed] = useState(false);
  const drawn = (kind) => async () => {
    try {
      const text = pictureOf(svg.current, await referenceNow());
      save(kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await pixels(text), `${name}.${kind}`);
      setFailed(false);
    } catch {
      setFailed(true);
    }
  };
  const numbers = [
    csv && ["CSV", csv],
    ...(csv ? Object.entries(OTHERS).map(([label, format]) => [label, csv.replace("format=csv", `format=${format}`)]) : []),
    geojson && ["GeoJSON", geojson],
  ].filter(Boolean);
  return html`<div class="downloads" role="group" aria-label=${t("downloads")}>
    <span aria-hidden="true">${t("downloads")}</span>
    ${svg && html`<button type="button" class="quiet" onClick=${drawn("svg")}>SVG</button>`}
    ${svg && html`<button type="button" class="quiet" onClick=${drawn("png")}>PNG</button>`}
    ${numbers.map(([label, address]) => html`<a key=${label} class="button quiet" href=${address} download onClick=${(event) => keyed(event, address, `${name}.${label.toLowerCase()}`, setFailed)}>${label}</a>`)}
    ${failed && html`<span class="failed" role="alert">${t("downloads.failed")}</span>`}
  </div>`;
}

/** A link carries no key: whoever holds one is sent the file that the key is shown. */
async function keyed(event, address, name, setFailed) {
  if (!key()) return;
  event.preventDefault();
  try {
    save(await (await answer(address)).blob(), name);
    setFailed(false);
  } catch {
    setFailed(true);
  }
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** An SVG text as a PNG. */
async function pixels(text) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width * DENSITY;
    canvas.height = image.height * DENSITY;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
