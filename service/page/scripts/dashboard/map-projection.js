/** From degrees to the screen, for any theatre. */

import { d3 } from "./mathematics.js";

const EARTH = 6371.0088;
const CELLS = 28;

/** Rings as d3 wants them: on a sphere what is enclosed lies to the right, other than in RFC 7946. */
export function rewound(geometry) {
  if (geometry?.type === "Polygon") return { ...geometry, coordinates: turned(geometry.coordinates) };
  if (geometry?.type === "MultiPolygon") return { ...geometry, coordinates: geometry.coordinates.map(turned) };
  if (geometry?.type === "GeometryCollection") return { ...geometry, geometries: geometry.geometries.map(rewound) };
  return geometry;
}

const turned = (rings) => rings.map((ring, index) => (area(ring) > 0 === (index === 0) ? [...ring].reverse() : ring));

/** Twice the area of a ring in the plane, positive where it runs against the clock (y upwards). */
const area = (ring) =>
  ring.slice(1).reduce((sum, [x, y], index) => sum + ring[index][0] * y - x * ring[index][1], 0);

/** A projection that shows `geometries` (GeoJSON) as large as a box of so many pixels has room for. */
export function fitted(geometries, width, height, margin) {
  const projection = d3.geoMercator();
  const box = [
    [margin, margin],
    [Math.max(width - margin, margin + 1), Math.max(height - margin, margin + 1)],
  ];
  const all = { type: "GeometryCollection", geometries: geometries.map(rewound) };
  if (geometries.length === 0) return projection.fitExtent(box, { type: "Sphere" });
  return projection.fitExtent(box, all);
}

/** How many pixels so many kilometres on the ground are at a position (`[longitude, latitude]`). */
export function pixels(projection, position, kilometres) {
  const [longitude, latitude] = position;
  const degrees = (kilometres / EARTH) * (180 / Math.PI);
  const [, there] = projection([longitude, latitude + degrees / 2]);
  const [, here] = projection([longitude, latitude - degrees / 2]);
  return Math.abs(here - there);
}

/** Polygons of a geometry as rings of pixels. */
export function polygons(geometry, projection) {
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  return parts.map((rings) => rings.map((ring) => ring.map((position) => projection(position))));
}

/** Whether a point lies in a ring. */
function within([x, y], ring) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [ax, ay] = ring[i];
    const [bx, by] = ring[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Whether a point lies in one of the polygons, and in none of their holes. */
export const inside = (point, parts) =>
  parts.some(([outer, ...holes]) => within(point, outer) && !holes.some((hole) => within(point, hole)));

/**
 * Where a label of an area stands: inside it, as far as may be from its edges, from what lies
 * `above` it (polygons), and from the points `taken`. `frame` (`[width, height]` of pixels) is all
 * that is seen. Null where nothing of it is left to see.
 */
export function anchor(parts, above, { taken = [], frame } = {}) {
  const sides = frame ? [rectangle(...frame)] : [];
  const edges = [...parts, ...above].flat().concat(sides);
  const corners = parts.flatMap(([outer]) => outer);
  const [left, right] = d3.extent(corners, ([x]) => x);
  const [top, bottom] = d3.extent(corners, ([, y]) => y);
  const [west, east] = frame ? [Math.max(left, 0), Math.min(right, frame[0])] : [left, right];
  const [north, south] = frame ? [Math.max(top, 0), Math.min(bottom, frame[1])] : [top, bottom];
  if (!(west < east && north < south)) return null;
  let best = null;
  let farthest = 0;
  for (let i = 0; i < CELLS * CELLS; i += 1) {
    const point = [
      west + ((east - west) * ((i % CELLS) + 0.5)) / CELLS,
      north + ((south - north) * (Math.floor(i / CELLS) + 0.5)) / CELLS,
    ];
    if (!inside(point, parts) || inside(point, above)) continue;
    const free = Math.min(distance(point, edges), ...taken.map(([x, y]) => Math.hypot(point[0] - x, point[1] - y) / 2));
    if (free > farthest) [best, farthest] = [point, free];
  }
  return best;
}

const rectangle = (width, height) => [[0, 0], [width, 0], [width, height], [0, height], [0, 0]];

/** How far a point is from the nearest edge of some rings. */
function distance([x, y], rings) {
  let least = Infinity;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [ax, ay] = ring[i - 1];
      const [dx, dy] = [ring[i][0] - ax, ring[i][1] - ay];
      const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      least = Math.min(least, Math.hypot(x - ax - along * dx, y - ay - along * dy));
    }
  }
  return least;
}
