/** Finding a place, a claimant or a weapon by what somebody types, in any spelling and script. */

import { current, named } from "../language.js";
import { placeName } from "../places.js";

/** Letters that Unicode does not decompose, though people type the plain one instead. */
const PLAIN = { ı: "i", ə: "e", ł: "l", ø: "o", đ: "d", æ: "ae", ß: "ss", œ: "oe", ħ: "h", ё: "е", й: "и", և: "եւ" };
const plain = (text) => text.replace(/[ıəłøđæßœħёйև]/g, (letter) => PLAIN[letter]);

/** A spelling without case, accents, spaces, hyphens and apostrophes, as the service compares them. */
export const fold = (text) =>
  plain(plain(text.toLowerCase()).normalize("NFKD").replace(/[^\p{L}\p{N}]/gu, "").toLowerCase());

/** What there is to find: `{id, label, depth, spellings}`, each spelling folded and as it is written. */
const entry = (id, label, names, more) => {
  const spellings = [...new Set([id, label, ...names])].filter(Boolean);
  return { id, label, depth: 0, ...more, spellings: spellings.map((each) => [fold(each), each]) };
};

/** Places by every name that they have, called as the reader's language calls them. */
export const placesToFind = (places) =>
  places.map((place) => {
    const names = place.names.map((each) => each.name);
    return entry(place.id, placeName(place), [place.display, ...Object.values(place.displays ?? {}), ...names]);
  });

/** Entries with names by language, such as claimants. */
export const namedToFind = (entries) =>
  entries.map((each) => entry(each.id, named(each), [each.name, ...Object.values(each.names ?? {})]));

/** A tree in its order: each entry below its parent, `depth` telling how deep. */
export function treeToFind(entries) {
  const below = Map.groupBy ? Map.groupBy(entries, (each) => each.parent) : grouped(entries);
  const walk = (parent, depth) =>
    (below.get(parent) ?? []).flatMap((each) => [
      entry(each.id, named(each), [each.name, ...Object.values(each.names ?? {})], { depth }),
      ...walk(each.id, depth + 1),
    ]);
  return walk(null, 0);
}

function grouped(entries) {
  const below = new Map();
  for (const each of entries) below.set(each.parent, [...(below.get(each.parent) ?? []), each]);
  return below;
}

/** How well a spelling fits what is sought, 0 best; 4 is not at all. */
function rank(spelling, written, sought) {
  if (!spelling.includes(sought)) return 4;
  if (spelling === sought) return 0;
  if (spelling.startsWith(sought)) return 1;
  if (written.split(/[\s/()-]+/u).some((word) => fold(word).startsWith(sought))) return 2;
  return sought.length > 2 ? 3 : 4;
}

/**
 * The entries that a text may mean, the likeliest first; `as` is the spelling by which one was found
 * where it is not what it is called. Nothing typed finds nothing.
 */
export function find(entries, text, most = 8) {
  const sought = fold(text);
  if (!sought) return [];
  const found = [];
  for (const each of entries) {
    let best = 4;
    let as = null;
    for (const [spelling, written] of each.spellings) {
      const place = rank(spelling, written, sought);
      if (place < best) [best, as] = [place, written];
    }
    if (best < 4) found.push({ ...each, best, as: as === each.label || as === each.id ? null : as });
  }
  const order = (a, b) => a.best - b.best || a.label.length - b.label.length || a.label.localeCompare(b.label, current());
  return found.sort(order).slice(0, most);
}
