/** How large a picture may be, and how large its words are. */

import { useLayoutEffect, useRef, useState } from "../library.js";

/** Letters of these scripts are wider than others. */
const BROAD = /[\u0530-\u058f]/;

/** How many pixels wide a text of so many pixels is, roughly. */
export const wide = (text, size = 11) => [...text].length * size * (BROAD.test(text) ? 0.68 : 0.57);

/** `[ref, {width, height}]`: the pixels of an element's content, also when they change. */
export function useSize() {
  const element = useRef(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const measure = () => setSize({ width: element.current?.clientWidth ?? 0, height: element.current?.clientHeight ?? 0 });
    const watching = new ResizeObserver(measure);
    watching.observe(element.current);
    measure();
    return () => watching.disconnect();
  }, []);
  return [element, size];
}
