/** How places are called: neutrally, or as one side calls them. */

import { current } from "./language.js";

/**
 * The name of a place of the reference data in the reader's language. `naming` is a usage of its
 * `names` (the service names them, such as that of a side) or `neutral`; where a place has no name
 * of that usage in the language it is called neutrally.
 */
export function placeName(place, naming = "neutral") {
  const language = current();
  const used = place.names?.find((each) => each.usage === naming && each.language === language);
  return used?.name ?? place.displays?.[language] ?? place.display;
}
