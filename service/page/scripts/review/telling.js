/** What a report says, in words: figures, people, places and what two reports differ in. */

import { coded, listed, number, t } from "../language.js";
import { when } from "../when.js";
import { nameOf } from "./reference.js";

/** Outcomes in the order in which they are told. */
export const OUTCOMES = ["killed", "wounded", "missing", "captured", "displaced"];

/** A figure (`low`, `best`, `high`, perhaps `words`) as it may be read; null says nothing. */
export function figure(told) {
  if (!told) return "–";
  const { low, high } = told;
  if (low === null || low === undefined) return t("figure.unknown");
  if (high === null || high === undefined) return t("figure.at_least", { low });
  if (low === high) return number(low);
  return low === 0 ? t("figure.at_most", { high }) : t("figure.range", { low, high });
}

/** Whose casualties: a party and a group, either possibly not said. */
export function people(reference, { party, group }) {
  const words = [
    party ? nameOf(reference, "parties", party) : null,
    group ? coded("group", group) : null,
  ].filter(Boolean);
  return words.join(", ") || t("unstated");
}

/** When it was, never more exactly than it is known. */
export const whenOf = (report) => when(report.when);

/** Where it was: the place, else the sector, else that it is not known. */
export function whereOf(reference, where) {
  if (where.place_id) return nameOf(reference, "places", where.place_id);
  if (where.display ?? where.place) return where.display ?? where.place;
  if (where.sector) return nameOf(reference, "sectors", where.sector);
  return where.lat === null ? t("unlocated") : t("where.point", { lat: where.lat, lon: where.lon });
}

/** How finely it is known where it was. */
export function precisionOf(where) {
  if (where.lat === null) return where.sector ? coded("precision", "sector") : t("unlocated");
  return coded("precision", where.precision);
}

/** Weapons with their calibres. */
export function weaponsOf(reference, weapons) {
  if (weapons.length === 0) return t("unstated");
  return listed(
    weapons.map(({ weapon, calibre_mm: calibre }) => {
      const name = nameOf(reference, "weapons", weapon);
      return calibre ? `${name} (${t("calibre", { calibre })})` : name;
    }),
  );
}

/** All figures of a report by cell and outcome: a `Map` of `party|group|outcome` to figures. */
export function cells(report) {
  const found = new Map();
  for (const line of report.casualties)
    for (const outcome of OUTCOMES)
      if (line[outcome]) found.set(keyOf(line, outcome), line[outcome]);
  return found;
}

const keyOf = ({ party, group }, outcome) => [party ?? "", group ?? "", outcome].join("|");

/** The same as `differences`, as the service tells it of a report that contradicts another. */
export const differencesTold = ({ told }) =>
  new Set(told.map((each) => (each.form === "figure" ? keyOf(each, each.outcome) : each.form)));

/** What a report that speaks in figures stands at. */
const LIVE = new Set(["unverified", "corroborated", "verified"]);

/**
 * In which matters a live report contradicts another, as the service reckons it: a `Set` of
 * `stance`, `attributed_to`, `when` and of the keys of `cells`. A claimant does not contradict
 * itself.
 */
export function differences(report, other) {
  const found = new Set();
  if (report.claimant === other.claimant || !other.counted || !LIVE.has(other.status)) return found;
  if ([report, other].filter((each) => each.stance === "denies").length === 1) found.add("stance");
  if (report.attributed_to && other.attributed_to && report.attributed_to !== other.attributed_to)
    found.add("attributed_to");
  if (before(report, other) || before(other, report)) found.add("when");
  const mine = cells(report);
  for (const [cell, theirs] of cells(other)) {
    const own = mine.get(cell);
    if (own && !meets(own, theirs)) found.add(cell);
  }
  return found;
}

const before = (a, b) => a.end !== null && b.start !== null && a.end < b.start;

const meets = (a, b) =>
  a.low === null || b.low === null || ((a.high ?? Infinity) >= b.low && (b.high ?? Infinity) >= a.low);
