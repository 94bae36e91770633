/** The service's own routes: how they are asked, and what is said when they refuse. */

const KEPT = "key";

/** What the service refused, as its problem document says (RFC 9457); status 0 where nothing answered. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? String(status));
    this.status = status;
    this.document = document;
    /** What is wrong with which field: `[{field, message}]`, as the service names them. */
    this.errors = document.errors ?? [];
  }
}

/** The key that this tab asks with, or null: closing the tab forgets it. */
export const key = () => sessionStorage.getItem(KEPT);

/** Ask with this key from now on; null forgets it. */
export function useKeyOf(given) {
  if (given) sessionStorage.setItem(KEPT, given);
  else sessionStorage.removeItem(KEPT);
}

/** The address of a route with parameters; those without a value are left out, lists stand with commas. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || value === "") continue;
    query.set(name, Array.isArray(value) ? value.join(",") : value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * Ask a route and answer the `Response`. `options` are those of fetch, besides `key` (another key
 * than the tab's) and `json` (a body). Throws `Problem` for whatever is not 2xx.
 */
export async function answer(path, { parameters, json, key: other, headers, ...options } = {}) {
  const asking = other ?? key();
  const sent = new Headers(headers);
  if (asking) sent.set("Authorization", `Bearer ${asking}`);
  if (json !== undefined) sent.set("Content-Type", "application/json");
  let got;
  try {
    got = await fetch(address(path, parameters), {
      ...options,
      headers: sent,
      body: json === undefined ? options.body : JSON.stringify(json),
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: "no answer" });
  }
  if (!got.ok) throw new Problem(got.status, await got.json().catch(() => ({})));
  return got;
}

/** Ask a route and answer its JSON. */
export const ask = async (path, options) => (await answer(path, options)).json();

/** All items of a list, page after page; at most `most` pages. */
export async function all(path, { parameters = {}, most = 50, ...options } = {}) {
  const items = [];
  let cursor;
  for (let page = 0; page < most; page += 1) {
    const got = await ask(path, { ...options, parameters: { ...parameters, cursor } });
    items.push(...got.items);
    cursor = got.next;
    if (!cursor) break;
  }
  return items;
}
