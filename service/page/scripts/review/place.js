/** What is looked at, as the address tells it: a colleague who follows it sees the same. */

import { useEffect, useState } from "../library.js";

const NAMES = ["view", "report", "lead"];
const MOVED = "desk-moved";

/** What the address names: `{view, report, lead}`, each text or null. */
export function placeNow() {
  const asked = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, asked.get(name)]));
}

/** Look at something else; `replace` leaves no step to come back to. */
export function go(place, { replace = false } = {}) {
  const address = new URL(location.href);
  for (const name of NAMES) {
    if (place[name]) address.searchParams.set(name, place[name]);
    else address.searchParams.delete(name);
  }
  if (address.href === location.href) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  dispatchEvent(new Event(MOVED));
}

/** The place now, drawn anew whenever it changes. */
export function usePlace() {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const look = () => setPlace(placeNow());
    addEventListener("popstate", look);
    addEventListener(MOVED, look);
    return () => {
      removeEventListener("popstate", look);
      removeEventListener(MOVED, look);
    };
  }, []);
  return place;
}
