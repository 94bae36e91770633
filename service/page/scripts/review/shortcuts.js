/** Single keys as shortcuts, which whoever is disturbed by them can switch off (WCAG 2.1.4). */

import { html, useEffect, useRef, useState } from "../library.js";
import { Dialog } from "../frame.js";
import { t } from "../language.js";

const KEPT = "review-shortcuts";
const OFF = "off";

/** Where letters are written or choose something. */
const WRITING = "input:not([type=radio], [type=checkbox]), select, textarea, dialog";

/** What each key does, by the key of its words, in the order in which they are listed. */
export const SHORTCUTS = {
  v: "decide.verified",
  c: "decide.corroborated",
  u: "decide.unverified",
  n: "decide.unverifiable",
  r: "decide.refuted",
  g: "decide.grade",
  m: "group.merge",
  z: "undo",
  j: "next",
  k: "previous",
  "?": "shortcuts.show",
};

/** Whether single keys do something, and how to change that. */
export function useSwitch() {
  const [on, setOn] = useState(() => localStorage.getItem(KEPT) !== OFF);
  const change = (wanted) => {
    localStorage.setItem(KEPT, wanted ? "on" : OFF);
    setOn(wanted);
  };
  return [on, change];
}

/** Call `actions[key]` for single keys, but not while somebody writes, chooses or reads a dialog. */
export function useShortcuts(on, actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!on) return undefined;
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target.closest(WRITING)) return;
      const action = latest.current[letter(event)];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on]);
}

/** The Latin letter on a key, also where the keyboard writes another script. */
function letter(event) {
  const key = event.key.toLowerCase();
  if (key in SHORTCUTS) return key;
  if (event.code === "Slash" && event.shiftKey) return "?";
  return /^[a-z]$/.test(key) ? key : event.code.replace(/^Key/, "").toLowerCase();
}

/** A key as it stands on the keyboard, beside what it does; nothing where keys are switched off. */
export const Hint = ({ on, name }) => (on ? html` <kbd aria-hidden="true">${name}</kbd>` : null);

/** All keys with what they do, and the switch. */
export const Keys = ({ on, change, close }) => html`<${Dialog} title=${t("shortcuts")} close=${close}>
  <table>
    <caption class="visually-hidden">${t("shortcuts")}</caption>
    <thead>
      <tr><th scope="col">${t("shortcuts.key")}</th><th scope="col">${t("shortcuts.does")}</th></tr>
    </thead>
    <tbody>
      ${Object.entries(SHORTCUTS).map(
        ([name, words]) => html`<tr><th scope="row"><kbd>${name}</kbd></th><td>${t(words)}</td></tr>`,
      )}
      <tr><th scope="row"><kbd>Enter</kbd></th><td>${t("shortcuts.enter")}</td></tr>
      <tr><th scope="row"><kbd>Esc</kbd></th><td>${t("shortcuts.escape")}</td></tr>
    </tbody>
  </table>
  <label class="switch"><input type="checkbox" checked=${on} onChange=${(event) => change(event.target.checked)} /> ${t("shortcuts.on")}</label>
<//>`;
