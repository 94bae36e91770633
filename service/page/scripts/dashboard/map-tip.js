/** What is said of what one points at, beside it. */

import { html, useEffect, useState } from "../library.js";

const LEAST = 250;

/** The lines of a tooltip at a point of a picture of so many pixels; Escape takes it away. */
export function Tip({ at, width, height }) {
  const [gone, setGone] = useState(null);
  useEffect(() => {
    const away = (event) => event.key === "Escape" && setGone(at);
    addEventListener("keydown", away);
    return () => removeEventListener("keydown", away);
  }, [at]);
  if (!at || gone === at) return null;
  const side = at.x > width - LEAST ? { right: `${Math.max(width - at.x + 14, 4)}px` } : { left: `${Math.max(at.x + 14, 4)}px` };
  const level = at.y > height * 0.6 ? { bottom: `${height - at.y + 8}px` } : { top: `${at.y + 8}px` };
  const [first, ...rest] = at.lines;
  return html`<div class="tip" style=${{ ...side, ...level }} aria-hidden="true"><strong>${first}</strong>${rest.map((line) => html`<span>${line}</span>`)}</div>`;
}
