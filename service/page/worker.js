/**
 * Keeps the report form on the device: the files of this version of the page, and the words of the
 * theatre. Nothing else is ever kept, and nothing that was asked with a key.
 *
 * The server puts the address of the files and their names into this one, so that every version of
 * the page has a worker of its own.
 */

const PAGE = "{page}";
const NEEDED =
  /^(scripts\/([^/]+|report\/.+)\.js|styles\/(base|report)\.css|words\/\w+\/(common|report)\.json|vendor\/htm-preact\.module\.js|icon\.svg)$/;
const FILES = "{files}".split(" ").filter((name) => NEEDED.test(name)).map((name) => `${PAGE}/${name}`);
const FORM = "/report";
const LISTS = ["theatre", "places", "sectors", "weapons", "parties", "claimants"].map((name) => `/v1/${name}`);
const PATIENCE = 4000;

/** Asked anew, without a key or cookies, whatever the browser still has. */
const fetched = (address, options) =>
  fetch(address, { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(PATIENCE), ...options });

const isOurs = async (answer) => answer.ok && !answer.redirected && (await answer.clone().text()).includes(`"/manifest.webmanifest"`);
const isList = (answer) => answer.ok && !answer.redirected && answer.headers.get("Content-Type")?.startsWith("application/json");

async function install() {
  const kept = await caches.open(PAGE);
  await kept.addAll([...FILES, "/manifest.webmanifest"]);
  const form = await fetched(FORM, { signal: undefined });
  const text = await form.clone().text();
  // While one version takes the place of another, files may come from either.
  if (!form.ok || !text.includes(`${PAGE}/`)) throw new Error("another version");
  await kept.put(FORM, form);
  await Promise.allSettled(LISTS.map((address) => list(address, undefined)));
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== PAGE).map((name) => caches.delete(name)));
  await clients.claim();
}

/** What is kept under an address, whatever else the request says. */
const kept = async (address) => (await caches.open(PAGE)).match(address, { ignoreVary: true });

async function file(address, request) {
  return (await kept(address)) ?? fetch(request);
}

/** The form from the network, or, where another's page or nothing answers, the one that is kept. */
async function form(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (await isOurs(answer)) return answer;
    return (await kept(FORM)) ?? answer;
  } catch {
    return (await kept(FORM)) ?? Response.error();
  }
}

async function list(address, signal = AbortSignal.timeout(PATIENCE)) {
  try {
    const answer = await fetched(address, { signal });
    if (!isList(answer)) return (await kept(address)) ?? answer;
    // Erased meanwhile: it must not come back.
    if (await caches.has(PAGE)) await (await caches.open(PAGE)).put(address, answer.clone());
    return answer;
  } catch {
    return (await kept(address)) ?? Response.error();
  }
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || request.headers.has("Authorization")) return;
  if (pathname === FORM && request.mode === "navigate") event.respondWith(form(request));
  else if (search) return;
  else if (pathname.startsWith(`${PAGE}/`) || pathname === "/manifest.webmanifest") event.respondWith(file(pathname, request));
  else if (LISTS.includes(pathname)) event.respondWith(list(pathname));
});
