/** The drawing of the map. */

import { html, useMemo, useState } from "../library.js";
import { current, number, t } from "../language.js";
import { placeName } from "../places.js";
import { Patterns } from "../statuses.js";
import { useAnswer } from "./data.js";
import { dated } from "./labels.js";
import { measured, short } from "./figures.js";
import { shadeOf, shown } from "./map-classes.js";
import { BESIDE, box, country, placed } from "./map-labels.js";
import { Mark, lines as linesOfMark, marks as marksOf } from "./map-marks.js";
import { anchor as anchorOf, fitted, polygons, rewound } from "./map-projection.js";
import { lines } from "./map-sectors.js";
import { useSize } from "./map-size.js";
import { Tip } from "./map-tip.js";
import { ZoomButtons, pressed, useZoom } from "./map-zoom.js";
import { d3 } from "./mathematics.js";

const MARGIN = 14;
const NONE = [];
/** Shades that what lies below would be seen through. */
const HATCHED = ["is-silent", "is-unknown", "is-open"];
/** Kinds of places that names are shown of, the more important first. */
const NAMED = ["city", "town"];

/** The ground as paths, with the names of countries where they are seen. */
function useGround(projection, path, busy, width, height) {
  const { data } = useAnswer("/v1/outlines");
  return useMemo(() => {
    const features = data?.features ?? NONE;
    const lands = features.filter((each) => each.id !== "boundaries");
    return {
      land: lands.map(({ geometry }) => path(rewound(geometry))),
      boundaries: features.filter((each) => each.id === "boundaries").map(({ geometry }) => path(geometry)),
      names: lands
        .map(({ id, geometry }) => ({ text: country(id, current()), at: anchorOf(polygons(geometry, projection), busy, { frame: [width, height] }) }))
        .filter(({ text, at }) => text && at),
    };
  }, [data, projection, busy]);
}

function usePlaceNames(naming) {
  const answers = NAMED.map((kind) => useAnswer("/v1/places", { kind }).data);
  return useMemo(
    () =>
      answers
        .flatMap((data) => data?.items ?? NONE)
        .filter((place) => place.precision === "settlement" && place.lat !== null)
        .map((place) => ({ id: place.id, text: placeName(place, naming), position: [place.lon, place.lat] })),
    [...answers, naming],
  );
}

/** The map itself. `open` is called with the incidents of a mark. */
export function Drawing({ svg, sectors, rows, located, steps, features, view, filters, set, reference, data, open }) {
  const [frame, { width, height }] = useSize();
  const [tip, setTip] = useState(null);
  const [pointed, setPointed] = useState(null);
  const projection = useMemo(() => {
    const precise = sectors.filter((sector) => sector.precise);
    const seen = (precise.length > 0 ? precise : sectors).filter((sector) => sector.asked || !filters.sector);
    return fitted((seen.length > 0 ? seen : sectors).map(({ geometry }) => geometry), width, height, MARGIN);
  }, [sectors, width, height]);
  const path = useMemo(() => d3.geoPath(projection), [projection]);
  // Before there are sectors nothing says where on the picture a position is.
  const fits = sectors.length > 0;
  const places = usePlaceNames(view.naming);
  const names = fits ? places : NONE;
  const { transform, act, hint } = useZoom(svg, width, height);
  const shapes = useMemo(() => drawnShapes(sectors, path, projection), [sectors, path]);
  const busy = useMemo(() => shapes.filter(({ precise }) => precise).flatMap(({ parts }) => parts), [shapes]);
  const ground = useGround(projection, path, busy, width, height);
  const badges = useMemo(() => anchored(shapes, projection, features, [width, height]), [shapes, features]);
  const zone = reference.theatre.timezone;
  const found = marksOf(fits ? features : NONE, projection, transform);
  const saying = (sector) => (sector.asked ? lines(sector.name, sector.row, view, located.get(sector.id)) : [sector.name, t("map.not-asked")]);
  const valued = badges.map((each) => badge(each, view, transform)).filter(Boolean);
  const labels = labelled({ ground, names, valued, found, projection, transform, width, height });
  const choose = (sector) => set({ sector: filters.sector === sector.id ? "" : sector.id });
  const point = (sector, at) => {
    setPointed(sector?.id ?? null);
    setTip(sector ? { ...at, lines: saying(sector) } : null);
  };
  return html`<div class="map-frame" ref=${frame}>
    <svg ref=${svg} viewBox=${`0 0 ${Math.max(width, 1)} ${Math.max(height, 1)}`} role="group" aria-labelledby="map-name map-said" onKeyDown=${pressed(act)}>
      <title id="map-name">${t("map.name")}</title>
      <desc id="map-said">${data ? summary(rows, view, data) : t("loading")}</desc>
      <${Patterns} prefix="map" />
      <defs>
        <pattern id="map-dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle class="dots" cx="2" cy="2" r="1.2" /></pattern>
        <pattern id="map-chevrons" width="8" height="6" patternUnits="userSpaceOnUse"><path class="chevrons" d="M0 4 4 1 8 4" /></pattern>
      </defs>
      <rect class="water" width="100%" height="100%" />
      <g transform=${transform.toString()}>
        ${ground.land.map((d, index) => html`<path key=${index} class="land" d=${d} />`)}
        ${shapes.map((sector) => html`<${Area} key=${sector.id} sector=${sector} chosen=${filters.sector === sector.id} shade=${sector.asked ? shadeOf(shown(sector.row, view.measure, view.bound), steps) : "is-beside"} label=${saying(sector).join(". ")} value=${valueOf(sector, view)} choose=${() => choose(sector)} point=${point} frame=${frame} centre=${transform.apply(sector.centre)} />`)}
        ${ground.boundaries.map((d) => html`<path class="boundary" d=${d} />`)}
        ${shapes.filter(({ id }) => id === pointed || id === filters.sector).map(({ id, d }) => html`<path key=${id} class="pointed" d=${d} />`)}
      </g>
      ${labels.countries.map(({ x, y, text }) => html`<text key=${text} class="country" x=${x} y=${y}>${text}</text>`)}
      ${labels.places.map(({ id, x, y, text, anchor }) => html`<g key=${id} class="place" transform=${`translate(${x} ${y})`}><rect x="-1.5" y="-1.5" width="3" height="3" /><text x=${anchor === "end" ? -BESIDE : BESIDE} y="4" text-anchor=${anchor}>${text}</text></g>`)}
      ${valued.map(({ id, x, y, text, half }) => html`<g key=${id} class="badge" data-badge=${id} transform=${`translate(${x} ${y})`}><rect x=${-half} y="-10" width=${2 * half} height="20" rx="3" /><text y="4.5">${text}</text></g>`)}
      ${found.map((mark) => html`<${Mark} key=${mark.items[0].id} mark=${mark} measure=${view.measure} zone=${zone} open=${open} point=${(at) => setTip(at && { x: at.x, y: at.y, lines: linesOfMark(at, view.measure, zone) })} />`)}
    </svg>
    <${ZoomButtons} act=${act} />
    ${hint && html`<p class="zoom-hint" role="status">${t("map.zoom.hint")}</p>`}
    <${Tip} at=${tip} width=${width} height=${height} />
  </div>`;
}

const drawnShapes = (sectors, path, projection) =>
  sectors
    .map((sector) => {
      const shape = rewound(sector.geometry);
      return { ...sector, d: path(shape), extent: path.area(shape), centre: path.centroid(shape), parts: polygons(sector.geometry, projection) };
    })
    .sort((a, b) => b.extent - a.extent);

/** Sectors with where their badge stands: clear of what is drawn above them and of the marks. */
function anchored(shapes, projection, features, frame) {
  const taken = features.filter(({ geometry }) => geometry).map(({ geometry }) => projection(geometry.coordinates));
  return shapes.flatMap((sector, index) => {
    if (!sector.asked) return [];
    const above = shapes.slice(index + 1).flatMap(({ parts }) => parts);
    const at = anchorOf(sector.parts, above, { taken, frame }) ?? anchorOf(sector.parts, NONE, { taken, frame });
    if (!at) return [];
    taken.push(at);
    return [{ ...sector, at }];
  });
}

function badge({ id, row, at }, view, transform) {
  const { kind } = shown(row, view.measure, view.bound);
  if (kind === "silent") return null;
  const text = kind === "unknown" ? "?" : short(measured(row, view.measure));
  const [x, y] = transform.apply(at);
  return { id, x, y, text, half: Math.max(10, 4.2 * text.length + 5) };
}

const valueOf = (sector, view) => (sector.asked ? (shown(sector.row, view.measure, view.bound).value ?? "") : "");

function labelled({ ground, names, valued, found, projection, transform, width, height }) {
  const at = (position) => {
    const [x, y] = transform.apply(position);
    return { x, y };
  };
  const taken = [
    ...valued.map(({ x, y, half }) => ({ left: x - half - 2, right: x + half + 2, top: y - 12, bottom: y + 12 })),
    ...found.map(({ x, y }) => ({ left: x - 9, right: x + 9, top: y - 9, bottom: y + 9 })),
    // The buttons lie over this corner.
    { left: width - 48, right: width, top: 0, bottom: 130 },
  ];
  const countries = placed(ground.names.map(({ text, at: position }) => ({ text, ...at(position) })), width, height, taken, ["middle"]);
  const boxes = countries.map(box);
  const places = placed(names.map(({ id, text, position }) => ({ id, text, ...at(projection(position)) })), width, height, [...taken, ...boxes], ["start", "end"]);
  return { countries, places };
}

/** What the picture shows, in words. */
function summary(rows, view, data) {
  const values = [...rows.values()].map((row) => shown(row, view.measure, view.bound));
  return [
    t("map.summary", { first: dated(data.from), last: dated(data.to), count: rows.size }),
    t("map.summary.most", { most: number(Math.max(0, ...values.map(({ value }) => value ?? 0))) }),
    t("map.summary.silent", { count: values.filter(({ kind }) => kind === "silent").length }),
  ].join(" ");
}

function Area({ sector, chosen, shade, label, value, choose, point, frame, centre }) {
  const press = (event) => {
    if (event.key && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  };
  const here = (event) => {
    const { left, top } = frame.current.getBoundingClientRect();
    point(sector, { x: event.clientX - left, y: event.clientY - top });
  };
  return html`${HATCHED.includes(shade) && html`<path class="under" d=${sector.d} />`}<path
    class=${`sector ${shade}`}
    d=${sector.d}
    role="button"
    tabindex="0"
    aria-label=${label}
    aria-pressed=${String(chosen)}
    data-sector=${sector.id}
    data-value=${value}
    onClick=${press}
    onKeyDown=${press}
    onPointerMove=${here}
    onPointerLeave=${() => point(null)}
    onFocus=${() => point(sector, { x: centre[0], y: centre[1] })}
    onBlur=${() => point(null)}
  />`;
}
