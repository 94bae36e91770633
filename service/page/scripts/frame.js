/** What stands around every page: where one is, in which language, by day or night, with which key. */

import { html, render, useEffect, useRef, useState } from "./library.js";
import { LANGUAGES, choose, current, speak, t } from "./language.js";
import { ask, key, useKeyOf } from "./service.js";

const THEME = "theme";
const THEMES = ["auto", "light", "dark"];
const PLACES = [
  ["dashboard", "/"],
  ["report", "/report"],
  ["review", "/review"],
  ["api", "/docs"],
];

const night = matchMedia("(prefers-color-scheme: dark)");

/** Light or dark as it was chosen on this device; `auto` follows the device. */
const chosen = () => localStorage.getItem(THEME) ?? "auto";

function wear() {
  const device = night.matches ? "dark" : "light";
  document.documentElement.dataset.theme = chosen() === "auto" ? device : chosen();
}

night.addEventListener("change", wear);

/**
 * Draw a page: its words first, then `content` (a component) inside the frame.
 *
 * `name` is the page's name in the frame and its file of words, `parts` are further files. Every
 * change of language draws all of it anew, so that components need not listen.
 */
export async function open(name, content, parts = []) {
  wear();
  await speak([name, ...parts]);
  const root = document.getElementById("page");
  const draw = () => {
    document.title = `${t(`${name}.title`)} – ${t("product")}`;
    render(html`<${Frame} key=${current()} name=${name} content=${content} again=${draw} />`, root);
  };
  draw();
}

function Frame({ name, content: Content, again }) {
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <header class="frame">
      <span class="product">${t("product")}</span>
      <nav aria-label=${t("pages")}>
        <ul>
          ${PLACES.map(
            ([place, address]) => html`<li>
              <a href=${address} aria-current=${place === name ? "page" : undefined}>${t(`page.${place}`)}</a>
            </li>`,
          )}
        </ul>
      </nav>
      <div class="choices">
        <${Language} again=${again} />
        <${Theme} />
      </div>
    </header>
    <main id="main" tabindex="-1"><${Content} /></main>
    <footer class="frame"><p>${t("footer")}</p></footer>
  `;
}

function Language({ again }) {
  const change = async (event) => {
    await choose(event.target.value);
    const address = new URL(location.href);
    if (address.searchParams.has("language")) {
      address.searchParams.set("language", current());
      history.replaceState(null, "", address);
    }
    again();
  };
  return html`<label class="choice">
    <span class="visually-hidden">${t("language")}</span>
    <select name="language" onChange=${change} value=${current()}>
      ${Object.entries(LANGUAGES).map(
        ([code, name]) => html`<option value=${code} lang=${code} selected=${code === current()}>${name}</option>`,
      )}
    </select>
  </label>`;
}

function Theme() {
  const [theme, setTheme] = useState(chosen);
  const change = (event) => {
    localStorage.setItem(THEME, event.target.value);
    setTheme(event.target.value);
    wear();
  };
  return html`<label class="choice">
    <span class="visually-hidden">${t("theme")}</span>
    <select name="theme" onChange=${change} value=${theme}>
      ${THEMES.map((each) => html`<option value=${each} selected=${each === theme}>${t(`theme.${each}`)}</option>`)}
    </select>
  </label>`;
}

/**
 * Where a key is given and forgotten. `changed` is called after either.
 *
 * The key is tried before it is kept, and is kept by this tab only.
 */
export function Key({ changed }) {
  const [failed, setFailed] = useState(null);
  const held = key() !== null;
  const field = useRef(null);
  const hold = (given) => {
    useKeyOf(given);
    changed();
    // What had the focus is gone with what the other key is shown.
    const heading = document.querySelector("h1");
    heading.tabIndex = -1;
    heading.focus();
  };
  const give = async (event) => {
    event.preventDefault();
    const given = field.current.value.trim();
    try {
      await ask("/v1/theatre", { key: given });
      setFailed(null);
      hold(given);
    } catch (problem) {
      setFailed(problem.status === 401 ? t("key.refused") : t("problem.offline"));
    }
  };
  if (held) return html`<p class="key"><span>${t("key.held")}</span> <button type="button" onClick=${() => hold(null)}>${t("key.forget")}</button></p>`;
  return html`<form class="key" onSubmit=${give}>
    <label for="key">${t("key.label")}</label>
    <input id="key" ref=${field} type="password" autocomplete="off" spellcheck=${false} required aria-describedby=${failed ? "key-failed" : "key-hint"} />
    <button type="submit">${t("key.give")}</button>
    <p id="key-hint" class="hint">${t("key.hint")}</p>
    ${failed && html`<p id="key-failed" class="failed" role="alert">${failed}</p>`}
  </form>`;
}

/** A modal window over the page, closed by Escape, its button or `close`. Children are its content. */
export function Dialog({ title, close, children, wide }) {
  const element = useRef(null);
  useEffect(() => {
    const dialog = element.current;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby="dialog-title" onClose=${close} onCancel=${close}>
    <header>
      <h2 id="dialog-title">${title}</h2>
      <button type="button" class="quiet" onClick=${close}>${t("close")}</button>
    </header>
    ${children}
  </dialog>`;
}
