/** What incidents are called that nobody gave a title. */

import { t } from "./language.js";

/** How much of an id tells those apart that were recorded in the same moment. */
const TAIL = 6;

/** The title of an incident (`id`, `title`), or words for none with the end of its id. */
export const titleOf = ({ id, title }) => title ?? t("untitled", { id: id.slice(-TAIL) });
