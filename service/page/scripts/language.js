/**
 * The languages of the page: its words, and how numbers, days and names are written in each.
 *
 * The words of the theatre (sectors, weapons, places) are not here: they come from the service,
 * with their names in each language.
 */

/** Languages of the interface, each by its own name (ISO 639-1). */
export const LANGUAGES = { en: "English", ru: "Русский", hy: "Հայերեն", az: "Azərbaycanca" };

const KEPT = "language";
const FALLBACK = "en";

let language = FALLBACK;
let words = {};
let parts = [];

/** The language now, as ISO 639-1. */
export const current = () => language;

/** What the address asks for, what was chosen before, what the browser prefers, or English. */
function preferred() {
  const asked = new URLSearchParams(location.search).get("language");
  const wanted = [asked, localStorage.getItem(KEPT), ...navigator.languages.map((each) => each.slice(0, 2))];
  return wanted.find((each) => Object.hasOwn(LANGUAGES, each)) ?? FALLBACK;
}

/** Fetch the words of these parts (files of `words/<language>/`) and speak the reader's language. */
export async function speak(names) {
  parts = ["common", ...names];
  await change(preferred());
}

/** Speak another language from now on; what is drawn must be drawn again. */
export async function choose(code) {
  localStorage.setItem(KEPT, code);
  await change(code);
}

async function change(code) {
  const files = parts.map((part) => new URL(`../words/${code}/${part}.json`, import.meta.url));
  const read = await Promise.all(files.map(async (file) => (await fetch(file)).json()));
  words = Object.assign({}, ...read);
  language = code;
  document.documentElement.lang = code;
}

/**
 * The words under a key, with `{name}` replaced by values.
 *
 * Where the words depend on a number they are an object of plural categories (Intl.PluralRules),
 * and the value `count` says which. Numbers are written as the language writes them.
 */
export function t(key, values = {}) {
  const found = words[key];
  if (found === undefined) return key;
  const text =
    typeof found === "string"
      ? found
      : found[new Intl.PluralRules(language).select(values.count)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    if (!(name in values)) return whole;
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** Whether there are words under a key: codes of the service may be newer than the page. */
export const has = (key) => key in words;

/** The words for a code of the service, such as a status, or the code itself. */
export const coded = (kind, code) => (has(`${kind}.${code}`) ? t(`${kind}.${code}`) : code);

// Some browsers say that they write numbers in these languages, and write them as in English; the
// languages beside them write them alike.
const ALIKE = { hy: "ru", az: "tr" };

/** A number as the language writes it. */
export const number = (value, options) => new Intl.NumberFormat(ALIKE[language] ?? language, options).format(value);

/** A list in words: "a, b and c". */
export const listed = (items) =>
  items.length < 2
    ? items.join("")
    : t("list", { before: items.slice(0, -1).join(", "), last: items.at(-1) });

/** The name of an entry of the reference data in the language now; its plain name where it has none. */
export const named = (entry) => entry.names?.[language] ?? entry.name ?? entry.names?.en ?? entry.id;

/** In the order of the language. */
export const inOrder = (items, of) =>
  [...items].sort((a, b) => of(a).localeCompare(of(b), language));
