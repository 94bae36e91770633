/** What was known earlier: the ledger's recorded changes, one after the other. */

import { html, useEffect, useRef, useState } from "../library.js";
import { coded, t } from "../language.js";
import { ask } from "../service.js";
import { dated, namedIn } from "./labels.js";

/** Changes fetched at once, of which those that move no figure are left out. */
const REACH = "500";
const MOVING = new Set(["report", "incident", "grouping", "coverage"]);
/** Milliseconds for which a state stands while the states are played. */
const STANDING = 1500;

/** How many changes are recorded: the feed says where it ends only where one asks beyond. */
async function recorded() {
  const beyond = async (after) => (await ask("/v1/changes", { parameters: { after: String(after), limit: "1" } })).items.length === 0;
  let high = 1024;
  while (!(await beyond(high))) high *= 4;
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await beyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The newest states to look back to, oldest first: `{at, change}`, `at` the number of changes then known. */
async function moments() {
  const size = await recorded();
  const { items } = await ask("/v1/changes", { parameters: { after: String(Math.max(0, size - Number(REACH))), limit: REACH } });
  return items.filter((each) => !each.kind || MOVING.has(each.kind)).map((change) => ({ at: change.position + 1, change }));
}

/** A slider over the states with steps and play; the newest is what is known now. */
export function Content({ filters, set, reference }) {
  const [states, setStates] = useState(null);
  const [problem, setProblem] = useState(null);
  const [playing, setPlaying] = useState(false);
  const [drawn, setDrawn] = useState(null);
  const timer = useRef(null);
  useEffect(() => {
    moments().then(setStates, setProblem);
  }, []);
  const now = states ? states.length : 0;
  const index = states ? indexOf(states, filters.as_of) : 0;
  const go = (to, options) => set({ as_of: to >= now ? "" : `changes:${states[to].at}` }, options);
  useEffect(() => {
    if (!playing) return undefined;
    if (index >= now) {
      setPlaying(false);
      return undefined;
    }
    timer.current = setTimeout(() => go(index + 1, { settled: false }), STANDING);
    return () => clearTimeout(timer.current);
  }, [playing, index, now]);
  if (problem) return html`<p class="failed" role="alert">${t("problem.offline")}</p>`;
  if (!states) return html`<p class="hint" role="status">${t("loading")}</p>`;
  const at = drawn ?? index;
  const told = at >= now ? t("past.now") : momentName(states[at].change, reference);
  const step = (by) => html`<button type="button" disabled=${by < 0 ? index === 0 : index >= now} onClick=${() => go(index + by)}>${t(by < 0 ? "past.back" : "past.on")}</button>`;
  return html`<p class="hint">${t("past.why")}</p>
    <div class="scrub">
      <label for="past">${t("past.label")}</label>
      <input
        id="past"
        type="range"
        min="0"
        max=${now}
        value=${at}
        aria-valuetext=${told}
        onInput=${(event) => setDrawn(Number(event.target.value))}
        onChange=${(event) => {
          setDrawn(null);
          setPlaying(false);
          go(Number(event.target.value));
        }}
      />
      <div class="quick">
        ${step(-1)}
        <button type="button" aria-pressed=${String(playing)} onClick=${() => (playing ? setPlaying(false) : play(index, now, go, setPlaying))}>${t("past.play")}</button>
        ${step(1)}
        <button type="button" disabled=${index >= now} onClick=${() => go(now)}>${t("past.latest")}</button>
      </div>
      <p class="moment">${told}</p>
    </div>
    <${EndOfDay} filters=${filters} set=${set} />`;
}

function play(index, now, go, setPlaying) {
  if (index >= now) go(0);
  setPlaying(true);
}

/** A day at whose end one wants to know what was known. */
function EndOfDay({ filters, set }) {
  const value = /^\d{4}-\d\d-\d\d$/.test(filters.as_of ?? "") ? filters.as_of : "";
  return html`<label class="field">
    <span>${t("past.day")}</span>
    <input type="date" name="as-of-day" value=${value} onChange=${(event) => set({ as_of: event.target.value })} />
  </label>`;
}

/** Which of the states `as_of` is, the newest where it is none of them. */
function indexOf(states, asOf) {
  const at = /^changes:(\d+)$/.exec(asOf ?? "");
  if (!at) return states.length;
  const found = states.findIndex((state) => state.at >= Number(at[1]));
  return found < 0 ? states.length : found;
}

function momentName(change, reference) {
  if (!change.kind) return t("past.hidden", { number: change.position + 1 });
  const title = change.incidents?.[0]?.title ?? change.content?.title;
  const by = change.content?.posted?.claimant;
  const about = [by && namedIn(reference.claimants, by), title].filter(Boolean).join(": ");
  const said = t("past.moment", { number: change.position + 1, kind: coded("past.kind", change.kind), action: coded("past.action", change.action) });
  return [said, about, change.recorded && dated(change.recorded.slice(0, 10))].filter(Boolean).join(" · ");
}
