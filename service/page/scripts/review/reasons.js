/** Reasons of candidates in the reader's language, by the form of what the service tells. */

import { coded, t } from "../language.js";
import { when } from "../when.js";
import { nameOf } from "./reference.js";
import { figure } from "./telling.js";

const times = ({ count }) => ({ count });
const days = ({ days: count, own, other }) => ({ count, a: when(own), b: when(other) });
const points = ({ km, open_km: open }) => ({ apart: km, open });
const figures = ({ outcome, own, other }) => ({ outcome: coded("outcome", outcome), a: figure(own), b: figure(other) });
const codes = (kind) => (told, reference) => {
  const [a, b] = told[kind].map((code) => nameOf(reference, kind, code));
  return { a, b };
};

/** What the words of a form, `says.` and the form, are told with. */
const VALUES = {
  hours_apart: times,
  minutes_apart: times,
  days_apart: days,
  days_overlap: days,
  same_days: ({ own }) => ({ when: when(own) }),
  points_within: points,
  points_beyond: points,
  same_sector: codes("sectors"),
  nested_sectors: codes("sectors"),
  parted_sectors: codes("sectors"),
  same_weapon: codes("weapons"),
  nested_weapons: codes("weapons"),
  parted_weapons: codes("weapons"),
  figures_meet: figures,
  figures_exclude: figures,
  same_claimant: () => ({}),
  same_claimant_otherwise: () => ({}),
  shared_words: ({ shared, words }) => ({ shared, count: words }),
};

/** A reason (`told`) in words, or null where the page does not know a form of it. */
export function inWords(told, reference) {
  if (!told.every(({ form }) => form in VALUES)) return null;
  return told.map((each) => t(`says.${each.form}`, VALUES[each.form](each, reference))).join("; ");
}
