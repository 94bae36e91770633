/** What is said when the service refuses something. */

import { has, t } from "../language.js";

/** A refusal in a sentence of the reader's language; what only the service can say stands in it. */
export function refusal(problem) {
  if (problem.status === undefined) throw problem;
  if (problem.status === 0) return t("problem.offline");
  if (problem.status === 401) return t("problem.unauthorised");
  if (problem.status === 429) return t("problem.limited");
  const { detail } = problem.document;
  if (problem.status === 403) return t(detail === OWN ? "refused.own" : "problem.unauthorised");
  if (problem.status === 412) return t("refused.meanwhile");
  if (problem.status === 404) return t("refused.gone");
  if (problem.errors.length > 0) return problem.errors.map(inWords).join(" ");
  return t("problem.refused", { detail: detail ?? String(problem.status) });
}

const OWN = "Nobody reviews their own report.";

/** What is wrong with a field, with the field as the service names it. */
export function inWords({ field, message }) {
  const known = KNOWN[message];
  if (known && has(known)) return t(known);
  return t("problem.refused", { detail: [field, message].filter(Boolean).join(" ") });
}

const KNOWN = {
  "needs a basis from outside the parties to be verified": "refused.basis",
  "cannot be verified while it carries flags": "refused.flags",
  "needs independent evidence or a second claimant of another side": "refused.alone",
};
