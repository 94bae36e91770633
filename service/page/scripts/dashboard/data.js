/** Answers of the service for components: asked once however many show them, outdated ones dropped. */

import { useEffect, useState } from "../library.js";
import { address, all, ask, key } from "../service.js";

const MOST = 60;
/** Milliseconds for which an answer is shown again without being asked for again. */
const FRESH = 60_000;
const BUSY = 503;
const PATIENCE = 5;
const SECOND = 1_000;
const kept = new Map();

const reached = new Set();
let turn = Promise.resolve();

/**
 * An answer, at once where it is about now. The service makes an earlier state when it is first asked
 * for one, a few at a time: the first question about each waits until that about the one before is
 * answered.
 */
function inTurn(where, signal, question) {
  const moment = new URLSearchParams(where.split("?")[1]).get("as_of");
  if (!moment || reached.has(moment)) return question();
  const answer = turn.then(async () => {
    signal.throwIfAborted();
    const data = await question();
    reached.add(moment);
    return data;
  });
  turn = answer.catch(() => {});
  return answer;
}

/** The service is asked again where it says that it is busy, as long as somebody waits. */
async function patiently(where, signal) {
  for (let times = 1; ; times += 1) {
    try {
      return await ask(where, { signal });
    } catch (problem) {
      if (problem.status !== BUSY || times > PATIENCE) throw problem;
      await new Promise((resolve) => setTimeout(resolve, times * SECOND));
      signal.throwIfAborted();
    }
  }
}

/** One question, shared by all who ask it; given up when nobody waits for it any more. */
function asked(where) {
  const name = `${key() ?? ""} ${where}`;
  const found = kept.get(name);
  if (found && Date.now() - found.at < FRESH) return found;
  const controller = new AbortController();
  const entry = { at: Date.now(), waiting: 0, done: false, controller };
  const drop = () => kept.get(name) === entry && kept.delete(name);
  const { signal } = controller;
  entry.answer = inTurn(where, signal, () => patiently(where, signal)).then(
    (data) => {
      entry.done = true;
      return data;
    },
    (problem) => {
      drop();
      throw problem;
    },
  );
  entry.leave = () => {
    entry.waiting -= 1;
    if (entry.waiting > 0 || entry.done) return;
    drop();
    controller.abort();
  };
  kept.set(name, entry);
  if (kept.size > MOST) kept.delete(kept.keys().next().value);
  return entry;
}

/** Forget all answers, such as after another key is given. */
export const forget = () => kept.clear();

/**
 * `{data, problem, loading}` of a route. While another question is under way, `data` is still the
 * answer to the one before, so that nothing jumps. A `path` of null asks nothing.
 */
export function useAnswer(path, parameters) {
  const sorted = Object.entries(parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const where = path === null ? null : address(path, Object.fromEntries(sorted));
  const [state, setState] = useState({ data: null, problem: null, where: null });
  useEffect(() => {
    if (where === null) return undefined;
    const entry = asked(where);
    let gone = false;
    entry.waiting += 1;
    entry.answer.then(
      (data) => gone || setState({ data, problem: null, where }),
      (problem) => gone || setState({ data: null, problem, where }),
    );
    return () => {
      gone = true;
      entry.leave();
    };
  }, [where]);
  if (where === null) return { data: null, problem: null, loading: false };
  return { data: state.data, problem: state.problem, loading: state.where !== where };
}

const LISTS = ["sectors", "weapons", "claimants", "parties", "periods", "agreements"];
const started = new Map();

const byId = (items) => new Map(items.map((item) => [item.id, item]));

/** What `start` promises, begun once for all who ask; begun anew after it failed. */
function once(name, start) {
  if (!started.has(name)) {
    started.set(
      name,
      start().catch((error) => {
        started.delete(name);
        throw error;
      }),
    );
  }
  return started.get(name);
}

/** What `useReference` gives, as a promise. */
export const referenceNow = () =>
  once("reference", async () => {
    const [theatre, ...lists] = await Promise.all([ask("/v1/theatre"), ...LISTS.map((name) => all(`/v1/${name}`))]);
    const maps = Object.fromEntries(LISTS.map((name, index) => [name, byId(lists[index])]));
    return { theatre, ...maps, places: new Map() };
  });

const placesNow = () => once("places", async () => byId(await all("/v1/places")));

/** What `start` promises as state, once it is `wanted`: null until it is there. */
function usePromise(start, wanted) {
  const [state, setState] = useState({ data: null, problem: null });
  useEffect(() => {
    if (!wanted) return undefined;
    let gone = false;
    start().then(
      (data) => gone || setState({ data, problem: null }),
      (problem) => gone || setState({ data: null, problem }),
    );
    return () => {
      gone = true;
    };
  }, [wanted]);
  return state;
}

/**
 * `{reference, problem}`: the theatre and what it names, maps by id: `sectors`, `weapons`,
 * `claimants`, `parties`, `periods`, `agreements`. `places` is empty: there are many, and
 * `usePlaces` brings them to those who need them.
 */
export function useReference() {
  const { data, problem } = usePromise(referenceNow, true);
  return { reference: data, problem };
}

/** All places by id, or null until they are there. Large: only `wanted` for what is opened by hand. */
export const usePlaces = (wanted = true) => usePromise(placesNow, wanted).data;
