/** The words of the theatre: claimants, parties, sectors, places and weapons by their codes. */

import { createContext } from "../library.js";
import { current, named } from "../language.js";
import { all, ask } from "../service.js";

const KINDS = ["claimants", "parties", "sectors", "places", "weapons"];

/** What `read` answered, for every component of the desk. */
export const Reference = createContext(null);

/**
 * All reference data that the desk names things by: `theatre`, and for each kind a `Map` of its
 * entries by id. Throws `Problem`.
 */
export async function read() {
  const [theatre, ...lists] = await Promise.all([
    ask("/v1/theatre"),
    ...KINDS.map((kind) => all(`/v1/${kind}`)),
  ]);
  const maps = lists.map((items) => new Map(items.map((entry) => [entry.id, entry])));
  return { theatre, ...Object.fromEntries(KINDS.map((kind, i) => [kind, maps[i]])) };
}

/** The name of a code of a kind, or the code where nothing is known of it. */
export function nameOf(reference, kind, code) {
  const entry = reference[kind].get(code);
  if (entry === undefined) return code;
  return entry.displays?.[current()] ?? entry.display ?? named(entry);
}
