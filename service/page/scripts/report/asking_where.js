/** Where it happened: by a name, by an area, or by a position as coarse as the monitor likes. */

import { html, useMemo, useState } from "../library.js";
import { current, inOrder, t } from "../language.js";
import { placeName } from "../places.js";
import { cut, degrees } from "./content.js";
import { Chips, Choice, Field, Finder, Part } from "./fields.js";
import { placesToFind, treeToFind } from "./finding.js";

const PRECISIONS = ["district", "settlement", "exact"];
const INDENT = "\u2003";

/** The question, with what the theatre knows of places and sectors. */
export function Where({ value, change, places, sectors, wrong }) {
  const set = (changes) => change({ ...value, ...changes });
  const options = ["place", "district", "sector", "position"].map((each) => [each, t(`report.where.${each}`)]);
  return html`<${Part} id="where" title=${t("report.where")} wrong=${wrong}>
    <${Chips} name="how-where" label=${t("report.where")} value=${value.how} change=${(how) => set({ how })} options=${options} />
    ${value.how === "place" && html`<${Place} value=${value} set=${set} places=${places} wrong=${wrong} />`}
    ${value.how === "sector" && html`<${Sector} value=${value} set=${set} sectors=${sectors} />`}
    ${value.how === "district" && html`<${District} value=${value} set=${set} places=${places} />`}
    ${value.how === "position" && html`<${Position} value=${value} set=${set} wrong=${wrong} />`}
    ${(value.how === "sector" || value.how === "district") &&
    html`<${Field} id="within" label=${t("report.within")} value=${value.within} maxlength="500" change=${(within) => set({ within })} />`}
  <//>`;
}

function Place({ value, set, places, wrong }) {
  const entries = useMemo(() => placesToFind(places), [places, current()]);
  const chosen = entries.find((each) => each.id === value.place) ?? (value.place ? { label: value.place } : null);
  return html`<${Finder} id="place" label=${t("report.place")} hint=${t("report.place.hint")} entries=${entries} own wrong=${wrong}
    chosen=${chosen} text=${value.words} typed=${(words) => set({ words })} choose=${(entry) => set({ place: entry?.id ?? "" })} />`;
}

function Sector({ value, set, sectors }) {
  const years = (id) => {
    const { valid_from: from, valid_to: to } = sectors.find((each) => each.id === id);
    return from || to ? ` (${from?.slice(0, 4) ?? ""}–${to?.slice(0, 4) ?? ""})` : "";
  };
  const options = treeToFind(sectors).map(({ id, label, depth }) => [id, `${INDENT.repeat(depth)}${label}${years(id)}`]);
  return html`<${Choice} id="sector" label=${t("report.where.sector")} value=${value.sector} change=${(sector) => set({ sector })}
    options=${[["", t("report.choose")], ...options]} />`;
}

function District({ value, set, places }) {
  const districts = inOrder(places.filter((each) => each.precision === "district"), (each) => placeName(each));
  return html`<${Choice} id="district" label=${t("report.where.district")} value=${value.district} change=${(district) => set({ district })}
    options=${[["", t("report.choose")], ...districts.map((each) => [each.id, placeName(each)])]} />`;
}

function Position({ value, set, wrong }) {
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState(false);
  const locate = () => {
    setAsking(true);
    setFailed(false);
    const found = ({ coords }) => {
      setAsking(false);
      // No more digits than the precision asks for are ever written down.
      const written = (each, most) => String(degrees(String(each), value.precision, most));
      set({ lat: written(coords.latitude, 90), lon: written(coords.longitude, 180) });
    };
    const lost = () => {
      setAsking(false);
      setFailed(true);
    };
    navigator.geolocation.getCurrentPosition(found, lost, { enableHighAccuracy: value.precision === "exact", timeout: 60_000 });
  };
  const coarser = (precision) => {
    const fewer = (text, most) => (Number.isNaN(degrees(text, precision, most)) ? text : String(degrees(text, precision, most)));
    set({ precision, lat: fewer(value.lat, 90), lon: fewer(value.lon, 180) });
  };
  return html`<${Chips} name="precision" label=${t("report.precision")} value=${value.precision} change=${coarser} options=${PRECISIONS.map((each) => [each, t(`report.precision.${each}`)])} />
    <p class="hint">${t("report.position.hint")}</p>
    <p><button type="button" class="large" onClick=${locate} disabled=${asking}>${t(asking ? "report.position.asking" : "report.position.take")}</button></p>
    ${failed && html`<p class="failed" role="alert">${t("report.position.failed")}</p>`}
    <div class="pair">
      <${Field} id="lat" label=${t("report.lat")} inputmode="decimal" value=${value.lat} change=${(lat) => set({ lat: cut(lat, value.precision) })} wrong=${wrong} />
      <${Field} id="lon" label=${t("report.lon")} inputmode="decimal" value=${value.lon} change=${(lon) => set({ lon: cut(lon, value.precision) })} wrong=${wrong} />
    </div>`;
}
