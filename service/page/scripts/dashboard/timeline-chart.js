/** The drawing of the timeline. */

import { html, useEffect, useMemo, useRef, useState } from "../library.js";
import { named, number, t } from "../language.js";
import { Patterns } from "../statuses.js";
import { bucketName, dated } from "./labels.js";
import { useSize, wide } from "./map-size.js";
import { d3 } from "./mathematics.js";
import { Bar } from "./timeline-bars.js";
import { reach, said, silences } from "./timeline-buckets.js";
import { Agreements, BANDS, Bands, LANE } from "./timeline-marks.js";
import { edges, lanes, timeScale, unitName, wrapped } from "./timeline-scale.js";

const LEFT = 48;
const RIGHT = 12;
const PLOT = 210;
/** Pixels of a bar that stands beside the axis, and of the gap before it. */
const BESIDE = 78;
const GAP = 18;
/** The least pixels of a bar: a unit of time, and a named period with its name below. */
const NARROWEST = 3;
const NAMED = 92;
const NAME_LINES = 4;
const LANES = 5;
/** So many bars have their own names below, as far as there is room; of more, the axis has ticks. */
const MOST_NAMED = 48;

const TICKS = 30;

/** Pixels above the bars: for so many series of named periods, and lanes of agreements. */
const above = (series, lanesUsed) => 22 + series * BANDS + lanesUsed * LANE;

const seriesOf = (periods) => [...new Set([...periods].map((each) => each.series))];

/** Where everything lies, in pixels. */
function layout({ on, beside, shown, reference, width }) {
  const named_ = shown.grain === "named";
  const aside = beside.length > 0 ? GAP + beside.length * BESIDE : 0;
  const inner = Math.max(width - LEFT - RIGHT - aside, on.length * (named_ ? NAMED : NARROWEST), 120);
  const right = LEFT + inner;
  const scale = named_ ? null : timeScale(on[0].start, on.at(-1).end, LEFT, right);
  const places = on.map((each, index) =>
    scale
      ? { left: scale(each.start), width: scale.after(each.end) - scale(each.start) }
      : { left: LEFT + (index * inner) / on.length, width: inner / on.length },
  );
  const periods = scale ? [...reference.periods.values()].filter(({ start, end }) => end >= on[0].start && start <= on.at(-1).end) : [];
  const series = seriesOf(periods);
  const agreements = scale ? agreed(reference, on, scale, right) : [];
  const lanesUsed = agreements.reduce((most, { lane }) => Math.max(most, lane === null ? 0 : lane + 1), 0);
  const top = above(series.length, lanesUsed);
  const floor = top + PLOT;
  const below = named_ ? 14 + NAME_LINES * 14 : TICKS;
  return { scale, places, periods, series, agreements, top, floor, right, inner, width: right + aside + RIGHT, height: floor + below, beside: right + GAP, scrolls: right + aside + RIGHT > width + 1 };
}

/** Agreements that lie on the axis, with lanes for their names. */
function agreed(reference, on, scale, right) {
  const found = [...reference.agreements.values()].flatMap((agreement) => {
    const { first, last } = edges(agreement.date);
    const from = first ?? last;
    if (!from || from < on[0].start || from > on.at(-1).end) return [];
    const till = last && last <= on.at(-1).end ? last : on.at(-1).end;
    return [{ id: agreement.id, date: agreement.date, text: named(agreement), x: scale(from), until: scale.after(till) }];
  });
  return lanes(found.sort((a, b) => a.x - b.x), right, LANES);
}

/** The chart. `choose` is called with the first and last bucket that are wanted. */
export function Chart({ svg, on, beside, shown, choose, reference, ready }) {
  const [frame, { width }] = useSize();
  const [active, setActive] = useState(on.length - 1);
  const [brushed, setBrush] = useState(null);
  const bars = useRef(null);
  useEffect(() => {
    setActive(on.length - 1);
    setBrush(null);
    if (frame.current) frame.current.scrollLeft = frame.current.scrollWidth;
  }, [on, width]);
  const drawable = ready && on.length > 0 && width > 0;
  const at = useMemo(() => (drawable ? layout({ on, beside, shown, reference, width }) : null), [on, beside, shown.grain, reference, width, drawable]);
  const highest = Math.max(1, ...[...on, ...beside].map(reach));
  const y = d3.scaleLinear().domain([0, highest]).nice(4).range([at?.floor ?? 1, (at?.top ?? 0) + 18]);
  // A drag over bars that are no longer there has nothing to choose.
  const brush = brushed?.every((index) => index < on.length) ? brushed : null;
  const focused = Math.min(Math.max(active, 0), on.length - 1);
  const apply = ([a, b]) => {
    setBrush(null);
    choose(on[Math.min(a, b)], on[Math.max(a, b)]);
  };
  const key = (event) => {
    const moves = { ArrowLeft: focused - 1, ArrowRight: focused + 1, Home: 0, End: on.length - 1 };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      apply(brush ?? [focused, focused]);
    }
    if (event.key === "Escape") setBrush(null);
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = Math.min(Math.max(moves[event.key], 0), on.length - 1);
    setActive(next);
    setBrush(event.shiftKey ? [brush?.[0] ?? focused, next] : null);
    bars.current.children[next].focus();
  };
  const told = brush && brush[0] !== brush[1]
    ? t("timeline.chosen", { first: bucketName(on[Math.min(...brush)].id, shown.grain, reference), last: bucketName(on[Math.max(...brush)].id, shown.grain, reference) })
    : on[focused] && said(on[focused], shown, reference);
  return html`<div class="timeline-frame">
    <div class="scroll" ref=${frame}>
      ${at
        ? html`<svg ref=${svg} width=${at.width} height=${at.height} viewBox=${`0 0 ${at.width} ${at.height}`} role="group" aria-labelledby="timeline-name timeline-said">
            <title id="timeline-name">${t("timeline.name")}</title>
            <desc id="timeline-said">${summary(on, shown, reference)}</desc>
            <${Patterns} prefix="timeline" />
            <${Silences} all=${on} at=${at} />
            <${Values} y=${y} at=${at} />
            <${Bands} at=${at} />
            <${Agreements} at=${at} />
            ${brush && html`<${Brush} brush=${brush} at=${at} />`}
            <g class="bars" ref=${bars} onKeyDown=${key} onPointerLeave=${() => setBrush(null)}>
              ${on.map(
                (bucket, index) => html`<g
                  key=${bucket.id}
                  class=${`bucket ${index === focused ? "active" : ""}`}
                  role="button"
                  tabindex=${index === focused ? 0 : -1}
                  aria-label=${said(bucket, shown, reference)}
                  data-period=${bucket.id}
                  data-kind=${bucket.kind}
                  data-low=${bucket.range.low ?? ""}
                  data-high=${bucket.range.high ?? ""}
                  onFocus=${() => setActive(index)}
                  onClick=${(event) => event.detail === 0 && apply([index, index])}
                  onPointerDown=${(event) => event.button === 0 && setBrush([index, index])}
                  onPointerEnter=${() => (brush ? setBrush([brush[0], index]) : setActive(index))}
                  onPointerUp=${() => apply(brush ?? [index, index])}
                  onPointerCancel=${() => setBrush(null)}
                >
                  <rect class="target" x=${at.places[index].left} y=${at.top} width=${Math.max(at.places[index].width, 1)} height=${at.floor - at.top + 26} />
                  <${Bar} bucket=${bucket} ...${at.places[index]} y=${y} floor=${at.floor} />
                </g>`,
              )}
            </g>
            <${Beside} ...${{ beside, shown, reference, at, y }} />
            <${Axis} ...${{ on, at, grain: shown.grain, reference }} />
          </svg>`
        : ready && width > 0
          ? html`<p class="hint">${t("nothing")}</p>`
          : html`<p class="hint" style=${{ minHeight: above(seriesOf(reference.periods.values()).length, LANES) + PLOT + TICKS }}>${t("loading")}</p>`}
    </div>
    <p class="readout" aria-live="polite">${told}</p>
    <p class="hint">${t("timeline.hint")}</p>
  </div>`;
}

/** Spans in which nothing is recorded and nobody watched throughout. */
const Silences = ({ all, at }) =>
  silences(all).map(({ from, to, coverage }) => {
    const x = at.places[from].left;
    const width = at.places[to].left + at.places[to].width - x;
    return html`<g key=${from}>
      <rect class=${`silence ${coverage}`} data-silence=${`${all[from].start}/${all[to].end}`} x=${x} y=${at.top} width=${Math.max(width, 1)} height=${at.floor - at.top} fill="url(#timeline-unwatched)" />
      ${wide(t("timeline.silence")) < width - 12 && html`<text class="silence-name" x=${x + width / 2} y=${at.floor - 10}>${t("timeline.silence")}</text>`}
    </g>`;
  });

const Values = ({ y, at }) =>
  html`<g class="values" aria-hidden="true">${y.ticks(4).filter(Number.isInteger).map((value) => html`<g key=${value} transform=${`translate(0 ${y(value)})`}><line x1=${LEFT} x2=${at.right} /><text x=${LEFT - 6} y="4">${number(value)}</text>${at.scrolls && value > 0 && html`<text x=${at.right - 3} y="-4">${number(value)}</text>`}</g>`)}</g>`;

function Brush({ brush, at }) {
  const [from, to] = [Math.min(...brush), Math.max(...brush)];
  const x = at.places[from].left;
  return html`<rect class="brush" x=${x} y=${at.top} width=${at.places[to].left + at.places[to].width - x} height=${at.floor - at.top} />`;
}

/** What has no place on the axis: what lasted longer than a unit, or lies in none. */
const Beside = ({ beside, shown, reference, at, y }) =>
  html`${beside.length > 0 && html`<line class="axis" x1=${at.beside - 4} x2=${at.beside + beside.length * BESIDE} y1=${at.floor} y2=${at.floor} />`}
    ${beside.map((bucket, index) => {
      const left = at.beside + index * BESIDE;
      return html`<g key=${bucket.id} class="beside-axis" role="img" aria-label=${said(bucket, shown, reference)} data-period=${bucket.id} data-low=${bucket.range.low ?? ""} data-kind=${bucket.kind}>
        <title>${said(bucket, shown, reference)}</title>
        <${Bar} bucket=${bucket} left=${left} width=${BESIDE - 8} y=${y} floor=${at.floor} />
        ${wrapped(bucketName(bucket.id, shown.grain, reference), 13, 2).map((line, row) => html`<text class="tick" x=${left + (BESIDE - 8) / 2} y=${at.floor + 16 + row * 12}>${line}</text>`)}
      </g>`;
    })}`;

const Axis = ({ on, at, grain, reference }) => html`<g class="time" aria-hidden="true">
  <line class="axis" x1=${LEFT} x2=${at.right} y1=${at.floor} y2=${at.floor} />
  ${at.scale
    ? spaced(on.length > MOST_NAMED ? at.scale.ticks(at.inner / 84) : middles(on, at, grain, reference), at.right).map(({ x, text, major }) => html`<g key=${x} transform=${`translate(${x} ${at.floor})`}><line y2="5" /><text class=${`tick ${major ? "major" : ""}`} y="18">${text}</text></g>`)
    : on.map((bucket, index) => html`<text key=${bucket.id} class="tick">${wrapped(bucketName(bucket.id, "named", reference), 14, NAME_LINES).map((line, row) => html`<tspan x=${at.places[index].left + at.places[index].width / 2} y=${at.floor + 16 + row * 13}>${line}</tspan>`)}</text>`)}
</g>`;

/** The names of units below their bars; a month names its year where that is another. */
const middles = (on, at, grain, reference) =>
  on.map(({ id, start }, index) => {
    const { left, width } = at.places[index];
    const another = index === 0 || on[index - 1].start.slice(0, 4) !== start.slice(0, 4);
    return { x: left + width / 2, text: another && !["day", "year"].includes(grain) ? bucketName(id, grain, reference) : unitName(id, grain, reference), major: another };
  });

/** Ticks whose words do not run into one another or out of the picture. */
function spaced(ticks, right) {
  let end = -Infinity;
  return ticks.filter(({ x, text }) => {
    const half = wide(text) / 2;
    if (x - half < end + 8 || x - half < 2 || x + half > right + RIGHT) return false;
    end = x + half;
    return true;
  });
}

/** What the picture shows, in words. */
function summary(on, shown, reference) {
  const highest = on.reduce((best, each) => (reach(each) > reach(best) ? each : best), on[0]);
  const silent = on.filter(({ kind }) => kind === "silent").length;
  return [
    t("timeline.summary", { first: dated(on[0].start), last: dated(on.at(-1).end) }),
    reach(highest) > 0 && t("timeline.summary.most", { most: said(highest, shown, reference) }),
    t("timeline.summary.silent", { count: silent, all: on.length }),
  ].filter(Boolean).join(" ");
}
