/** The question: what is asked for, and how it is shown. */

import { html, useLayoutEffect, useMemo, useRef, useState } from "../library.js";
import { coded, current, named, t } from "../language.js";
import { ask } from "../service.js";
import { usePlaces } from "./data.js";
import { Choice, Line, Unfold } from "./fields.js";
import { filterValue, sorted, tree } from "./labels.js";
import { BOUNDS, FILTERS, GRAINS, MEASURES } from "./state.js";
import { STATUSES } from "../statuses.js";

const CLOCKS = ["reported", "received"];
const DATE = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;

/** Filters that are tucked away until asked for. */
const FURTHER = ["weapon", "party", "contested", "min_killed", "place", "clock"];

const indented = (entries) =>
  tree(entries).map(({ entry, depth }) => [entry.id, `${"\u2007\u2007".repeat(depth)}${named(entry)}`]);

function optionsOf({ sectors, weapons, claimants, parties, periods }) {
  const option = (period) => [period.id, named(period)];
  const inSeries = Map.groupBy([...periods.values()], (period) => period.series);
  return {
    sectors: [...indented(sectors), ["unlocated", t("unlocated")]],
    weapons: [...indented(weapons), ["unstated", t("unstated")]],
    claimants: sorted(claimants).map((each) => [each.id, named(each)]),
    parties: [...sorted(parties).map((each) => [each.id, named(each)]), ["unstated", t("unstated")]],
    periods: inSeries.size > 1 ? [...inSeries].map(([group, items]) => ({ group, options: items.map(option) })) : [...periods.values()].map(option),
  };
}

/** The filter bar with chips of what is set. */
export function FilterBar({ filters, view, set, reference }) {
  const options = useMemo(() => optionsOf(reference), [reference]);
  const [shown, setShown] = useState(false);
  const [further, setFurther] = useState(() => FURTHER.some((name) => filters[name]));
  const chosen = FILTERS.filter((name) => filters[name] && name !== "as_of");
  const field = (name) => ({ name, label: t(`filter.${name}`), value: filters[name], change: set });
  const any = t("filter.any");
  return html`<form class="card filters" role="search" aria-label=${t("filters")} onSubmit=${(event) => event.preventDefault()}>
    <${Unfold} class="quiet unfold by-phone" open=${shown} toggle=${() => setShown(!shown)} controls="filters">
      ${t("filters")}${chosen.length > 0 && ` (${chosen.length})`}
    <//>
    <div id="filters" class="fields" data-open=${String(shown)}>
      <${Choice} ...${field("period")} options=${options.periods} none=${t("grain.total")} />
      <${Line} ...${field("from")} accepts=${isDate} placeholder="2022-08" inputmode="numeric" hint=${t("filter.date.hint")} />
      <${Line} ...${field("to")} accepts=${isDate} placeholder="2022-08-31" inputmode="numeric" />
      <${Choice} ...${field("sector")} options=${options.sectors} none=${any} />
      <${Choice} ...${field("claimant")} options=${options.claimants} none=${any} />
      <${Choice} ...${field("status")} options=${STATUSES.map((each) => [each, coded("status", each)])} none=${any} />
      <${Line} ...${field("q")} type="search" maxlength="200" />
      <div id="further" class="fields" hidden=${!further}>
        <${Choice} ...${field("weapon")} options=${options.weapons} none=${any} />
        <${Choice} ...${field("party")} options=${options.parties} none=${any} />
        <${Choice} ...${field("contested")} options=${[["true", t("yes")], ["false", t("no")]]} none=${any} />
        <${Line} ...${field("min_killed")} accepts=${(text) => /^\d{1,8}$/.test(text)} inputmode="numeric" />
        <${Place} ...${field("place")} />
        <${Choice} ...${field("clock")} options=${CLOCKS.map((each) => [each, t(`clock.${each}`)])} none=${t("clock.event")} />
      </div>
      <div class="more">
        <${Unfold} open=${further} toggle=${() => setFurther(!further)} controls="further">${t("filters.further")}<//>
        <${Quick} set=${set} />
      </div>
    </div>
    <${Chips} chosen=${chosen} filters=${filters} set=${set} reference=${reference} />
    <${Shown} view=${view} set=${set} />
  </form>`;
}

const isDate = (text) => DATE.test(text);

/** A place in any spelling that the service knows. */
function Place(field) {
  const [found, setFound] = useState([]);
  const accepts = async (text) => {
    const { items } = await ask("/v1/places", { parameters: { q: text } }).catch(() => ({ items: [] }));
    setFound(items.slice(0, 12));
    const told = text.toLocaleLowerCase();
    return items.some((place) =>
      [place.id, place.display, ...Object.values(place.displays ?? {}), ...place.names.map((each) => each.name)].some(
        (name) => name.toLocaleLowerCase() === told,
      ),
    );
  };
  return html`<${Line} ...${field} accepts=${accepts} list="places" hint=${t("filter.place.hint")} />
    <datalist id="places">${found.map((place) => html`<option value=${place.display} />`)}</datalist>`;
}

/** Spans that are asked for often, counted from this device's day. */
function Quick({ set }) {
  const back = (days) => () => {
    const from = new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    set({ from, to: new Date().toISOString().slice(0, 10), period: "", grain: "" });
  };
  return html`<div class="quick" role="group" aria-label=${t("quick")}>
    <button type="button" onClick=${back(30)}>${t("quick.month")}</button>
    <button type="button" onClick=${back(365)}>${t("quick.year")}</button>
    <button type="button" onClick=${() => set({ from: "", to: "", period: "", grain: "" })}>${t("quick.all")}</button>
  </div>`;
}

/** What is filtered, each to be taken away by itself; the focus goes on to the next one. */
function Chips({ chosen, filters, set, reference }) {
  const row = useRef(null);
  const removed = useRef(null);
  useLayoutEffect(() => {
    if (removed.current === null) return;
    const next = Math.min(removed.current, chosen.length - 1);
    (row.current.querySelectorAll(".chip")[next] ?? row.current).focus();
    removed.current = null;
  }, [chosen.length]);
  if (chosen.length === 0) return html`<p class="chips hint" tabindex="-1" ref=${row}>${t("filters.none")}</p>`;
  const remove = (place, changes) => () => {
    removed.current = place;
    set(changes);
  };
  const none = Object.fromEntries(FILTERS.map((name) => [name, ""]));
  return html`<ul class="chips" ref=${row} aria-label=${t("filters.set")}>
    ${chosen.map((name, place) => {
      const text = `${t(`filter.${name}`)}: ${filterValue(name, filters[name], reference)}`;
      return html`<li key=${name}>
        <button type="button" class="chip" aria-label=${t("filter.remove", { filter: text })} onClick=${remove(place, { [name]: "" })}>
          <span>${text}</span><span aria-hidden="true">×</span>
        </button>
      </li>`;
    })}
    <li><button type="button" class="quiet" onClick=${remove(0, none)}>${t("filters.reset")}</button></li>
  </ul>`;
}

/** How the answer is shown. */
function Shown({ view, set }) {
  const field = (name) => ({ name, label: t(`view.${name}`), value: view[name], change: set });
  return html`<div class="shown" role="group" aria-label=${t("view")}>
    <${Choice} ...${field("measure")} options=${MEASURES.map((each) => [each, t(each === "incidents" ? "measure.incidents" : `outcome.${each}`)])} />
    <${Choice} ...${field("grain")} options=${GRAINS.map((each) => [each, t(`grain.${each}`)])} />
    <${Choice} ...${field("bound")} options=${BOUNDS.map((each) => [each, t(`bound.${each}`)])} />
    <${Naming} ...${field("naming")} />
  </div>`;
}

/** How places are called. Each usage is told by examples of it, since it has no name of its own. */
function Naming({ value, ...field }) {
  const [wanted, setWanted] = useState(value !== "neutral");
  const places = usePlaces(wanted);
  const options = useMemo(() => usages(places), [places, current()]);
  return html`<div class="naming" onFocusIn=${() => setWanted(true)} onPointerEnter=${() => setWanted(true)}>
    <${Choice} ...${field} value=${value} options=${[["neutral", t("naming.neutral")], ...options]} />
  </div>`;
}

const EXAMPLES = 2;

function usages(places) {
  const found = new Map();
  for (const place of places?.values() ?? []) {
    for (const { usage, language, name } of place.names) {
      if (!usage || language !== current()) continue;
      if (!found.has(usage)) found.set(usage, []);
      if (found.get(usage).length < EXAMPLES) found.get(usage).push(name);
    }
  }
  return [...found].map(([usage, names]) => [usage, t("naming.usage", { names: names.join(", ") })]);
}
