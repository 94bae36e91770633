/** The claims about an incident put side by side: sorting and comparing, without words. */

/** Outcomes in the order in which they are shown. */
export const OUTCOMES = ["killed", "wounded", "missing", "captured", "displaced"];

const LIVE = new Set(["verified", "corroborated", "unverified"]);

/** Whether a claim, or a figure of one, speaks in figures (docs/method.md). */
export const counts = (claim) => claim.counted && LIVE.has(claim.status);

/** One column a claimant, in the order in which they spoke: `[{claimant, claims}]`. */
export function columns(claims) {
  const found = new Map();
  for (const claim of claims) {
    if (!found.has(claim.claimant)) found.set(claim.claimant, []);
    found.get(claim.claimant).push(claim);
  }
  return [...found].map(([claimant, own]) => ({ claimant, claims: own }));
}

const place = (cell) => `${cell.party ?? ""} ${cell.group ?? ""}`;

/** The cells that any claim fills, `[{party, group, outcome}]`; wider ones before what they contain. */
export function cells(claims) {
  const found = new Map();
  for (const { casualties } of claims) {
    for (const line of casualties) {
      for (const outcome of OUTCOMES.filter((each) => each in line)) {
        const cell = { party: line.party, group: line.group, outcome };
        found.set(`${outcome} ${place(cell)}`, cell);
      }
    }
  }
  const rank = (cell) => [OUTCOMES.indexOf(cell.outcome), cell.party ?? "", cell.group ?? ""];
  return [...found.values()].sort((a, b) => compare(rank(a), rank(b)));
}

function compare(a, b) {
  const at = a.findIndex((each, index) => each !== b[index]);
  if (at < 0) return 0;
  return a[at] < b[at] ? -1 : 1;
}

/**
 * What one claimant says of a cell: `{figure, claim, earlier}`, or null. The latest claim that gives
 * it a bound speaks; `earlier` are `{figure, claim}` that it replaces.
 */
export function telling(column, cell) {
  const told = column.claims.flatMap((claim) =>
    claim.casualties
      .filter((line) => place(line) === place(cell) && cell.outcome in line)
      .map((line) => ({ figure: line[cell.outcome], claim })),
  );
  if (!told.length) return null;
  const bounded = told.findLastIndex(({ figure }) => figure.low !== null);
  const speaking = bounded < 0 ? told.length - 1 : bounded;
  return { ...told[speaking], earlier: told.filter((_, index) => index !== speaking) };
}

const known = (figure) => figure && figure.low !== null;

/** Whether some number satisfies both figures. */
export const meet = (a, b) =>
  (b.high === null || a.low <= b.high) && (a.high === null || b.low <= a.high);

const daysMeet = (a, b) => !(a.end && b.start && a.end < b.start) && !(b.end && a.start && b.end < a.start);

/**
 * How the values of a row stand to one another: `alone`, `same`, `differ`, or `contested` where two
 * exclude each other. Values that are null say nothing.
 */
export function agreement(values, { same, compatible }) {
  const told = values.filter((each) => each !== null && each !== undefined);
  const pairs = told.flatMap((a, index) => told.slice(index + 1).map((b) => [a, b]));
  if (!pairs.length) return "alone";
  if (pairs.some(([a, b]) => !compatible(a, b))) return "contested";
  return pairs.every(([a, b]) => same(a, b)) ? "same" : "differ";
}

/** How values of each kind are compared. */
export const COMPARED = {
  figures: {
    same: (a, b) => ["low", "best", "high"].every((bound) => a[bound] === b[bound]),
    compatible: (a, b) => !known(a) || !known(b) || meet(a, b),
  },
  days: { same: (a, b) => a.when === b.when, compatible: daysMeet },
  words: { same: (a, b) => a === b, compatible: () => true },
  sides: { same: (a, b) => a === b, compatible: (a, b) => a === b },
  stances: { same: (a, b) => a === b, compatible: (a, b) => a === b || (a !== "denies" && b !== "denies") },
};

/** What a claimant says last of something, null where it says nothing of it. */
export const last = (column, of) =>
  column.claims.map(of).findLast((each) => each !== null && each !== undefined) ?? null;

/** Whether a claimant denies an outcome without giving a figure for it, last of all it said. */
export function denies(column, outcome) {
  const { stance, about } = column.claims.at(-1);
  return stance === "denies" && (!about?.outcomes?.length || about.outcomes.includes(outcome));
}

/** Different values of a column in order, each with the claims that give it: `[{value, claims}]`. */
export function distinct(column, of, key = JSON.stringify) {
  const found = new Map();
  for (const claim of column.claims) {
    const value = of(claim);
    if (value === null || value === undefined) continue;
    const entry = found.get(key(value)) ?? { value, claims: [] };
    entry.claims.push(claim);
    found.set(key(value), entry);
  }
  return [...found.values()];
}

/**
 * Why the claims of these columns do not go together, as docs/method.md says when an incident is
 * contested: `{denials, blames, figures}` (columns that deny, columns that blame when several sides
 * are blamed, and cells with two tellings that do not meet).
 */
export function contradictions(side, cellsTold) {
  const denials = side.filter((column) => last(column, (claim) => claim.stance) === "denies");
  const blaming = side
    .map((column) => ({ column, party: last(column, (claim) => claim.attributed_to) }))
    .filter(({ party }) => party !== null);
  const blames = new Set(blaming.map(({ party }) => party)).size > 1 ? blaming : [];
  const figures = cellsTold.flatMap((cell) => {
    const told = side
      .map((column) => ({ column, ...telling(column, cell) }))
      .filter(({ figure }) => known(figure));
    const apart = told.filter((one) => told.some((other) => !meet(one.figure, other.figure)));
    return apart.length ? [{ cell, told: apart }] : [];
  });
  return { denials, blames, figures };
}

/** One figure of a cell from all who tell it: the lowest low to the highest high. */
export const hull = (figures) => ({
  low: Math.min(...figures.map((each) => each.low)),
  high: figures.some((each) => each.high === null) ? null : Math.max(...figures.map((each) => each.high)),
});

/**
 * Of what the figures of an outcome are made: `[{cell, figure, columns}]`, figure `{low, high}`.
 * Claims without a bound make none.
 */
export function made(side, cellsTold, outcome) {
  return cellsTold
    .filter((cell) => cell.outcome === outcome)
    .map((cell) => {
      const told = side
        .map((column) => ({ column, ...telling(column, cell) }))
        .filter(({ figure }) => known(figure));
      return told.length && { cell, figure: hull(told.map(({ figure }) => figure)), columns: told.map(({ column }) => column) };
    })
    .filter(Boolean);
}

/** The last day that a date in EDTF allows, as text that sorts. */
export function lastDay(text) {
  const dates = (text ?? "").match(/\d{4}(-\d{2}(-\d{2})?)?/g) ?? [];
  const ends = dates.map((each) => `${each}${["-12-31", "-31", ""][each.split("-").length - 1]}`);
  return ends.sort().at(-1) ?? "";
}
