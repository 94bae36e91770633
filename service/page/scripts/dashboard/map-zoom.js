/** Zooming and moving that leave the page its own scrolling. */

import { html, useCallback, useEffect, useRef, useState } from "../library.js";
import { d3 } from "./mathematics.js";
import { t } from "../language.js";

const FARTHEST = 0.5;
const NEAREST = 30;
const STEP = 1.5;
const MOVED = 60;
const SHOWN = 1_600;

/** What d3 may take for itself: wheels with Ctrl, two fingers, and the main button. */
function wanted(event) {
  if (event.type === "wheel") return event.ctrlKey || event.metaKey;
  if (event.touches) return event.touches.length > 1;
  return event.button === 0 && !event.ctrlKey;
}

/**
 * `{transform, act, hint}` of the SVG element that `svg` refers to: d3's transform, what buttons and
 * keys do (`in`, `out`, `reset`, or `[dx, dy]`), and whether to say how one zooms.
 */
export function useZoom(svg, width, height) {
  const [transform, setTransform] = useState(d3.zoomIdentity);
  const [hint, setHint] = useState(false);
  const zoom = useRef(null);
  useEffect(() => {
    const element = svg.current;
    if (!element) return undefined;
    let timer;
    const explain = (event) => {
      if (wanted(event)) return;
      setHint(true);
      clearTimeout(timer);
      timer = setTimeout(() => setHint(false), SHOWN);
    };
    zoom.current = d3
      .zoom()
      .scaleExtent([FARTHEST, NEAREST])
      .extent([[0, 0], [width, height]])
      .translateExtent([[-width, -height], [2 * width, 2 * height]])
      .filter(wanted)
      .on("zoom", (event) => setTransform(event.transform));
    const selected = d3.select(element);
    selected.call(zoom.current).on("dblclick.zoom", null);
    element.addEventListener("wheel", explain, { passive: true });
    return () => {
      clearTimeout(timer);
      element.removeEventListener("wheel", explain);
      selected.on(".zoom", null);
    };
  }, [width, height]);
  const act = useCallback((what) => {
    const selected = d3.select(svg.current);
    if (what === "reset") zoom.current.transform(selected, d3.zoomIdentity);
    else if (what === "in" || what === "out") zoom.current.scaleBy(selected, what === "in" ? STEP : 1 / STEP);
    else zoom.current.translateBy(selected, ...what.map((step) => step / d3.zoomTransform(svg.current).k));
  }, []);
  return { transform, act, hint };
}

const KEYS = {
  "+": "in",
  "=": "in",
  "-": "out",
  0: "reset",
  ArrowLeft: [MOVED, 0],
  ArrowRight: [-MOVED, 0],
  ArrowUp: [0, MOVED],
  ArrowDown: [0, -MOVED],
};

/** What a key does to the map: for `onKeyDown`. */
export const pressed = (act) => (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  act(KEYS[event.key]);
};

/** The buttons. */
export const ZoomButtons = ({ act }) => html`<div class="zoom" role="group" aria-label=${t("map.zoom")}>
  <button type="button" aria-label=${t("map.zoom.in")} title=${t("map.zoom.in")} onClick=${() => act("in")}>+</button>
  <button type="button" aria-label=${t("map.zoom.out")} title=${t("map.zoom.out")} onClick=${() => act("out")}>−</button>
  <button type="button" aria-label=${t("map.zoom.reset")} title=${t("map.zoom.reset")} onClick=${() => act("reset")}>⟲</button>
</div>`;
