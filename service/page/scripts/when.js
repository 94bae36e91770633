/**
 * When something happened or was said, in words of the reader's language and never more exactly
 * than it is known.
 *
 * Dates are put together from words of the page: not every browser knows the months of every
 * language of it.
 */

import { t } from "./language.js";

const POINT =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?(~)?$/;

/**
 * A `when` of the service in words: a day, a time with its offset, a month, a year, a span that it
 * lasted or lies in, on or before, on or after, approximately (ISO 8601 and EDTF, as in
 * docs/method.md). Times of day are told in the time zone `zone` (IANA) where one is given. What is
 * in none of the forms is given back as it stands.
 */
export function when(text, zone) {
  if (!text) return t("unknown");
  const within = /^\[(.*)\.\.(.*)\]$/.exec(text);
  const lasted = text.split("/");
  if (within) return span(within[1], within[2], zone) ?? text;
  if (lasted.length === 2) return lasting(...lasted, zone) ?? text;
  const point = read(text, zone);
  if (!point) return text;
  if (point.day || point.approximate) return told(point);
  return t(point.month ? "when.month" : "when.year", { when: told(point) });
}

function span(first, last, zone) {
  const [from, to] = [read(first, zone), read(last, zone)];
  if (from && to) return t("when.within", { span: joined(from, to) });
  if (to) return t("when.by", { day: told(to) });
  return from ? t("when.from", { day: told(from) }) : null;
}

function lasting(first, last, zone) {
  const [from, to] = [read(first, zone), read(last, zone)];
  if (!from && !to) return null;
  if (from && to) return t("when.lasted", { span: joined(from, to) });
  const open = t("when.open");
  return t("when.lasted", { span: `${from ? told(from) : open} – ${to ? told(to) : open}` });
}

/** One date as its parts, a time of day moved into `zone`; null for what is none. */
function read(text, zone) {
  const found = POINT.exec(text);
  if (!found) return null;
  const [, year, month, day, time, offset, approximate] = found;
  const point = { year, month, day, time, offset, approximate: Boolean(approximate) };
  return time && offset && zone ? { ...point, ...moved(text.replace("~", ""), zone) } : point;
}

function moved(text, zone) {
  const form = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    ...{ year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "longOffset" },
  });
  const part = Object.fromEntries(form.formatToParts(new Date(text)).map((each) => [each.type, each.value]));
  const offset = part.timeZoneName.replace("GMT", "") || "Z";
  const time = `${part.hour}:${part.minute}`;
  return { year: part.year, month: part.month, day: part.day, time, offset };
}

/** Two dates, told together where they lie in one month. */
function joined(from, to) {
  const plain = [from, to].every((each) => each.day && !each.time && !each.approximate);
  if (!plain || from.year !== to.year || from.month !== to.month) return `${told(from)} – ${told(to)}`;
  const days = { first: String(Number(from.day)), last: String(Number(to.day)) };
  return t("date.days", { ...days, month: t(`month.${from.month}`), year: from.year });
}

function told(point) {
  const { year, month, time } = point;
  let text = t("date.year", { year });
  if (month) text = t("date.month", { month: t(`month.alone.${month}`), year });
  if (point.day) text = t("date.day", { day: String(Number(point.day)), month: t(`month.${month}`), year });
  if (time) text = t("when.instant", { day: text, time: point.offset ? `${time} ${inWords(point.offset)}` : time });
  return point.approximate ? t("when.about", { when: text }) : text;
}

/** `+04:00` as `UTC+4`. */
const inWords = (offset) =>
  /^(Z|[+-]00:00)$/.test(offset) ? "UTC" : `UTC${offset.replace(/^([+-])0?(\d+):00$/, "$1$2").replace(/^([+-])0(\d)/, "$1$2")}`;
