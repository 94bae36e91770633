/** Days and offsets in a time zone, and whether the clock of the device can be believed. */

const parts = (instant, zone, options) =>
  Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options })
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );

/** The day it is in a time zone (IANA), so many days from today, as ISO 8601. */
export function dayIn(zone, shift = 0, now = Date.now()) {
  const moment = new Date(now + shift * 86_400_000);
  const { year, month, day } = parts(moment, zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  return `${year}-${month}-${day}`;
}

/** The offset of a time zone at a local day and time, such as `+04:00`. */
export function offsetIn(zone, day, time) {
  const guess = new Date(`${day}T${time || "12:00"}Z`);
  const at = (instant) => parts(instant, zone, { timeZoneName: "longOffset" }).timeZoneName.slice(3) || "+00:00";
  const shift = (offset) => (offset[0] === "-" ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)));
  return at(new Date(guess.getTime() - shift(at(guess)) * 60_000));
}

// A route of which the worker keeps no answer: the moment of an old one would say nothing.
const NOW = "/health/live";

/** By how many milliseconds this device's clock is ahead of the service's; null where nothing tells. */
export async function skew() {
  try {
    const answer = await fetch(NOW, { credentials: "omit", redirect: "error", cache: "no-store" });
    const ahead = Date.now() - Date.parse(answer.headers.get("Date"));
    // Whoever else answers here, such as a hotel's page, does not say this.
    const { status } = await answer.json();
    return status === "ok" && Number.isFinite(ahead) ? ahead : null;
  } catch {
    return null;
  }
}
