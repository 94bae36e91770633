/**
 * What is kept on this device, in IndexedDB, until the service has it.
 *
 * `reports` holds forms and what is to be sent, `photos` their photos, `receipts` what the service
 * answered, `settings` the key if it is kept, and until when sending must wait.
 */

const NAME = "reports";
const STORES = { reports: "id", photos: ["report", "sha256"], receipts: "id", settings: "name" };
const CHANNEL = "reports";
const LONGEST = 2000;

let opened = null;
const channel = new BroadcastChannel(CHANNEL);

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) asked.result.createObjectStore(store, { keyPath });
    };
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      // Another tab erases everything: it must not have to wait.
      asked.result.onversionchange = () => asked.result.close();
      resolve(asked.result);
    };
  });
  return opened;
}

const answered = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Change several stores together; resolves when it is on disk. `work` is given the stores by name. */
async function write(names, work) {
  const transaction = (await database()).transaction(names, "readwrite", { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  work(Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)])));
  await done;
  channel.postMessage("changed");
}

async function every(store) {
  const transaction = (await database()).transaction(store);
  return answered(transaction.objectStore(store).getAll());
}

/** All of it: `{reports, photos, receipts, settings}`, the settings as an object. */
export async function everything() {
  const [reports, photos, receipts, settings] = await Promise.all(Object.keys(STORES).map(every));
  return {
    reports: reports.sort((a, b) => a.changed - b.changed),
    photos,
    receipts: receipts.sort((a, b) => b.at - a.at),
    settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
  };
}

/** Keep a report: `{id, state, form, changed, …}`. */
export const keep = (report) => write(["reports"], ({ reports }) => reports.put(report));

const change = (store, id, changes) =>
  write([store], (stores) => {
    const asked = stores[store].get(id);
    asked.onsuccess = () => asked.result && stores[store].put({ ...asked.result, ...changes });
  });

/** Change what is kept of a report, unless it was let go of meanwhile. */
export const changeReport = (id, changes) => change("reports", id, changes);

/** Change what is kept of a photo, unless it was let go of meanwhile. */
export const changePhoto = ({ report, sha256 }, changes) => change("photos", [report, sha256], changes);

/** Keep a photo: `{report, sha256, blob, …}`. */
export const keepPhoto = (photo) => write(["photos"], ({ photos }) => photos.put(photo));

/** Let go of a photo. */
export const dropPhoto = ({ report, sha256 }) => write(["photos"], ({ photos }) => photos.delete([report, sha256]));

/** The service has a photo: it leaves the device, and its receipt stands with that of its report. */
export const photoReceived = ({ report, sha256 }, receipt) =>
  write(["photos", "receipts"], ({ photos, receipts }) => {
    photos.delete([report, sha256]);
    const asked = receipts.get(report);
    asked.onsuccess = () => {
      const before = asked.result;
      if (before) receipts.put({ ...before, photos: [...before.photos, receipt] });
    };
  });

/** Let go of a report and of all its photos. */
export const drop = (id) =>
  write(["reports", "photos"], ({ reports, photos }) => {
    reports.delete(id);
    photos.delete(IDBKeyRange.bound([id], [id, []]));
  });

/** The service has a report: its content leaves the device in the moment that the receipt comes. */
export const received = (receipt) =>
  write(["reports", "receipts"], ({ reports, receipts }) => {
    reports.delete(receipt.id);
    receipts.put(receipt);
  });

/** Change what is kept of a receipt, unless it was let go of meanwhile. */
export const changeReceipt = (id, changes) => change("receipts", id, changes);

/** Let go of a receipt. */
export const dropReceipt = (id) => write(["receipts"], ({ receipts }) => receipts.delete(id));

/** Keep a setting, or forget it where there is no value. */
export const set = (name, value) =>
  write(["settings"], ({ settings }) => (value === null ? settings.delete(name) : settings.put({ name, value })));

/** Call when another tab changed something, or with `true` when it erased everything. */
export const onChange = (call) => channel.addEventListener("message", ({ data }) => call(data === "erased"));

/**
 * Erase whatever this page ever put on the device: databases, caches, both storages and the worker.
 * Other tabs are told to go as well.
 */
export async function erase() {
  channel.postMessage("erased");
  (await opened?.catch(() => null))?.close();
  localStorage.clear();
  sessionStorage.clear();
  const databases = (await indexedDB.databases?.()) ?? [{ name: NAME }];
  const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  const caches = await (globalThis.caches?.keys() ?? []);
  const gone = Promise.allSettled([
    ...databases.map(({ name }) => answered(indexedDB.deleteDatabase(name))),
    ...workers.map((worker) => worker.unregister()),
    ...caches.map((name) => globalThis.caches.delete(name)),
  ]);
  // A tab that hangs must not keep this one in sight.
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, LONGEST))]);
}
