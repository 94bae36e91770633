/** How the matrix and the list of incidents say what the service names by codes. */

import { coded, named, t } from "../language.js";
import { placeName } from "../places.js";

/**
 * An entry of the reference data by its name in the reader's language. `kind` is a map of
 * `reference`; a code that is not there stands as it was written.
 */
export function nameOf(reference, kind, id) {
  const entry = reference[kind].get(id);
  return entry ? named(entry) : id;
}

/** Whose casualties a cell counts. */
export function whom(reference, { party, group }) {
  const parts = [
    party === null ? null : nameOf(reference, "parties", party),
    group === null ? null : coded("group", group),
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : t("matrix.everybody");
}

/** The claimants of columns in words. */
export const claimantsOf = (reference, side) =>
  side.map((column) => nameOf(reference, "claimants", column.claimant)).join(", ");

/**
 * Where, as finely as it is known, finest first: place, sector, and how exactly a position is known.
 * `where` is that of a report, or `{sector, precision}` of an incident.
 */
export function whereOf(reference, where, naming) {
  const place = reference.places.get(where.place_id);
  const parts = [
    place ? placeName(place, naming) : where.place,
    where.sector && nameOf(reference, "sectors", where.sector),
  ].filter(Boolean);
  return parts.length ? [...new Set(parts)].join(" · ") : t("unlocated");
}

/** How exactly a place is known: by its position, or by the sector alone. */
export function precisionOf(reference, { sector, precision }) {
  if (precision) return coded("precision", precision);
  if (!sector) return t("precision.theatre");
  return t(reference.sectors.get(sector)?.parent ? "precision.sector" : "precision.theatre");
}

/** An address that may be followed, or null: only the web, nothing that runs. */
export function webAddress(text) {
  try {
    const address = new URL(text);
    return ["http:", "https:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}
