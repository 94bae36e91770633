/**
 * Reasons of candidates in the reader's language. The service gives each as a sentence in English
 * (`service/domain/candidates.py`), so they are told anew by the form of that sentence.
 */

import { coded, number, t } from "../language.js";
import { when } from "../when.js";
import { nameOf } from "./reference.js";

const MONTHS = "January February March April May June July August September October November December".split(" ");

/** Forms in order: what a sentence looks like, the key of its words, and their values. */
const FORMS = [
  [/^([\d.,]+) hours apart$/, "says.hours", ([hours]) => ({ hours: amount(hours) })],
  [/^(\d+) minutes? apart$/, "says.minutes", ([minutes]) => ({ count: Number(minutes) })],
  [/^([\d,]+) days? between (.+) and (.+)$/, "says.between", ([days, a, b]) => ({ count: amount(days), a: span(a), b: span(b) })],
  [/^(.+) and (.+) overlap$/, "says.overlap", ([a, b]) => ({ a: span(a), b: span(b) })],
  [/^both (on|lasted|within) (.+)$/, "says.both_on", ([, a]) => ({ when: span(a) })],
  [/^([\d.,]+) km apart, within the ([\d.,]+) km .*$/, "says.near", ([apart, open]) => ({ apart: amount(apart), open: amount(open) })],
  [/^([\d.,]+) km apart, beyond the ([\d.,]+) km .*$/, "says.far", ([apart, open]) => ({ apart: amount(apart), open: amount(open) })],
  [/^both in (.+)$/, "says.both_in", ([a], names) => ({ a: names("sectors", a) })],
  [/^(.+) lies in (.+)$/, "says.lies_in", ([a, b], names) => ({ a: names("sectors", a), b: names("sectors", b) })],
  [/^in (.+) and in (.+)$/, "says.in_two", ([a, b], names) => ({ a: names("sectors", a), b: names("sectors", b) })],
  [/^both name (.+)$/, "says.both_name", ([a], names) => ({ a: names("weapons", a) })],
  [/^(.+) and (.+) may be the same weapon$/, "says.maybe_same", ([a, b], names) => ({ a: names("weapons", a), b: names("weapons", b) })],
  [/^one names (.+), the other (.+)$/, "says.differ", ([a, b], names) => ({ a: names("weapons", a), b: names("weapons", b) })],
  [/^(\w+) (.+) and (.+) agree$/, "says.agree", ([outcome, a, b]) => ({ outcome: coded("outcome", outcome), a: range(a), b: range(b) })],
  [/^(\w+) (.+) and (.+) exclude each other$/, "says.exclude", ([outcome, a, b]) => ({ outcome: coded("outcome", outcome), a: range(a), b: range(b) })],
  [/^the same claimant speaks of both.*with figures that exclude each other$/, "says.same_claimant_otherwise", () => ({})],
  [/^the same claimant speaks of both.*$/, "says.same_claimant", () => ({})],
  [/^share ([\d,]+) of ([\d,]+) words?$/, "says.share", ([shared, all]) => ({ shared: amount(shared), count: amount(all) })],
];

/** A reason in words of the reader's language, or null where its form is not known. */
export function inWords(says, reference) {
  const names = (kind, name) => named(reference, kind, name);
  const parts = says.split("; ").map((part) => {
    for (const [form, key, values] of FORMS) {
      const found = form.exec(part);
      if (found) return t(key, values(found.slice(1), names));
    }
    return null;
  });
  return parts.includes(null) ? null : parts.join("; ");
}

const amount = (text) => Number(text.replaceAll(",", ""));

/** The name in the reader's language of what has this one in English. */
function named(reference, kind, name) {
  for (const entry of reference[kind].values())
    if (entry.name.toLowerCase() === name.toLowerCase()) return nameOf(reference, kind, entry.id);
  return name;
}

function range(text) {
  const [, least] = /^at least ([\d,]+)$/.exec(text) ?? [];
  if (least) return t("figure.at_least", { low: amount(least) });
  const [low, high] = text.split(" to ").map(amount);
  return high === undefined ? number(low) : t("figure.range", { low, high });
}

/** `3 August 2022`, two of them with `to` between, or one that is open on a side. */
function span(text) {
  const open = /^on or (before|after) (.+)$/.exec(text);
  if (open) return when(open[1] === "before" ? `[..${iso(open[2])}]` : `[${iso(open[2])}..]`);
  const [first, last] = text.split(" to ").map(iso);
  return last ? `${when(first)} – ${when(last)}` : when(first);
}

function iso(text) {
  const [day, month, year] = text.split(" ");
  const place = String(MONTHS.indexOf(month) + 1).padStart(2, "0");
  return `${year}-${place}-${day.padStart(2, "0")}`;
}
