/** When it happened: as exactly as it is known, and no more. */

import { html } from "../library.js";
import { t } from "../language.js";
import { when as inWords } from "../when.js";
import { dayIn, offsetIn } from "./clock.js";
import { edtf } from "./content.js";
import { Chips, Choice, Field, Part } from "./fields.js";

const MONTHS = Array.from({ length: 12 }, (_, i) => String(i + 1).padStart(2, "0"));
const HOUR = 3_600_000;
const DEVICE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The question and what was answered, read back in words. */
export function When({ value, change, zone = DEVICE, skew, wrong }) {
  const days = { today: dayIn(zone), yesterday: dayIn(zone, -1) };
  const how = value.how === "day" ? Object.keys(days).find((each) => days[each] === value.day) ?? "day" : value.how;
  const set = (changes) => change({ ...value, ...changes });
  const choose = (chosen) => {
    if (chosen in days) return set({ how: "day", day: days[chosen], time: "", offset: "" });
    // Who wants another day than today chooses it.
    return set({ how: chosen, day: how in days && chosen === "day" ? "" : value.day });
  };
  const options = ["today", "yesterday", "day", "about", "month", "between", "by"];
  const told = edtf(value);
  return html`${Math.abs(skew) > HOUR && html`<${Clock} skew=${skew} zone=${zone} />`}
  <${Part} id="when" title=${t("report.when")} wrong=${wrong}>
    <${Chips} name="how-when" label=${t("report.when")} value=${how} change=${choose} options=${options.map((each) => [each, t(`report.when.${each}`)])} />
    ${how !== "between" && how !== "month" && html`<${Field} id="day" type="date" label=${t("report.day")} value=${value.day} change=${(day) => set({ day })} wrong=${wrong} />`}
    ${how === "between" &&
    html`<div class="pair">
        <${Field} id="day" type="date" label=${t("report.day.first")} value=${value.day} change=${(day) => set({ day })} wrong=${wrong} />
        <${Field} id="last" type="date" label=${t("report.day.last")} min=${value.day} value=${value.last} change=${(last) => set({ last })} wrong=${wrong} />
      </div>
      <label class="check"><input type="checkbox" checked=${value.lasted} onChange=${(event) => set({ lasted: event.target.checked })} /> ${t("report.lasted")}</label>`}
    ${how === "month" &&
    html`<div class="pair">
      <${Choice} id="month" label=${t("report.month")} value=${value.month} change=${(month) => set({ month })}
        options=${[["", t("report.month.unknown")], ...MONTHS.map((each) => [each, t(`month.alone.${each}`)])]} />
      <${Field} id="year" label=${t("report.year")} inputmode="numeric" maxlength="4" value=${value.year} change=${(year) => set({ year: year.trim() })} wrong=${wrong} />
    </div>`}
    ${value.how === "day" && value.day && html`<${Time} value=${value} set=${set} zone=${zone} />`}
    <p class="told" aria-live="polite">${told ? html`${t("report.read")} <strong>${inWords(told)}</strong> <code>${told}</code>` : ""}</p>
    ${[value.day, value.last].some((day) => day > dayIn(zone)) && html`<p class="hint">${t("report.when.ahead")}</p>`}
    ${how === "about" && html`<p class="hint">${t("report.when.about.hint")}</p>`}
  <//>`;
}

/** A clock that is off, beside the service's. */
function Clock({ skew, zone }) {
  const tell = (moment) => inWords(new Date(moment).toISOString(), zone);
  const now = Date.now();
  return html`<p class="hint" role="status">${t("report.when.clock", { device: tell(now), service: tell(now - skew) })}</p>`;
}

function Time({ value, set, zone }) {
  const offset = (each) => offsetIn(each, value.day, value.time);
  const known = [...new Set([offset(zone), offset(DEVICE), "+00:00", value.offset].filter(Boolean))];
  const type = (time) => set({ time, offset: time ? value.offset || offset(zone) : "" });
  return html`<div class="pair">
    <${Field} id="time" type="time" label=${t("report.time")} value=${value.time} change=${type} />
    ${value.time && html`<${Choice} id="offset" label=${t("report.offset")} value=${value.offset} change=${(chosen) => set({ offset: chosen })} options=${known.map((each) => [each, `UTC${each}`])} />`}
  </div>`;
}
