/** What was typed and done outlives the component that it was typed into, until the key is forgotten. */

import { useState } from "../library.js";

const kept = new Map();

/** Forget all of it. */
export const forget = () => kept.clear();

/** As `useState`, under a name by which the value is found again. */
export function useKept(name, initial) {
  const [value, set] = useState(() => (kept.has(name) ? kept.get(name) : initial));
  const change = (next) =>
    set((before) => {
      const after = typeof next === "function" ? next(before) : next;
      kept.set(name, after);
      return after;
    });
  return [value, change];
}
