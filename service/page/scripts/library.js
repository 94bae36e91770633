/** The libraries of others, in one place: what draws, and the mathematics of charts and maps. */

export {
  html,
  render,
  createContext,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/htm-preact.module.js";

/** Single d3 modules, joined by their own files; undefined on pages that load none. */
export const d3 = globalThis.d3;
