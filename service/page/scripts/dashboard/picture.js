/** A picture taken out of the page: it brings its looks along, and says what it shows. */

import { named, t } from "../language.js";
import { filterValue } from "./labels.js";
import { FILTERS, read } from "./state.js";

const SVG = "http://www.w3.org/2000/svg";
/** What style sheets may say of a drawing, as the attributes of SVG. */
const LOOKS = [
  ...["fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"],
  ...["stroke-linecap", "stroke-linejoin", "paint-order", "opacity", "visibility", "font-family", "font-size"],
  ...["font-weight", "font-style", "text-anchor", "dominant-baseline", "letter-spacing", "mix-blend-mode"],
];
/** Pixels of a line of the caption, and letters that fit into 1,000 pixels of it. */
const LINE = 15;
const LETTERS = 170;

/** What stands in a file: its filters, when it was made, its licence and address. */
export function caption(reference) {
  const { filters } = read(location.search);
  const said = FILTERS.filter((name) => filters[name]).map(
    (name) => `${t(`filter.${name}`)}: ${filterValue(name, filters[name], reference)}`,
  );
  const { theatre } = reference;
  return [
    `${named(theatre)}. ${said.length > 0 ? said.join("; ") : t("filters.none")}`,
    [t("file.made", { day: new Date().toISOString().slice(0, 10) }), theatre.licence && t("file.licence", { licence: theatre.licence })]
      .filter(Boolean)
      .join(" "),
    location.href,
  ];
}

/** An SVG of the page as the text of a file that looks the same anywhere. */
export function pictureOf(svg, reference) {
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true);
  dress(svg, copy);
  const lines = caption(reference).flatMap((line) => folded(line, Math.floor((width * LETTERS) / 1000)));
  const file = element("svg", { xmlns: SVG, width, height: height + (lines.length + 1) * LINE });
  file.setAttribute("viewBox", `0 0 ${width} ${height + (lines.length + 1) * LINE}`);
  const title = element("title");
  title.textContent = svg.getAttribute("aria-label") ?? svg.querySelector("title")?.textContent ?? document.title;
  const description = element("desc");
  description.textContent = caption(reference).join("\n");
  const look = getComputedStyle(document.documentElement);
  const ground = element("rect", { width: "100%", height: "100%", fill: look.backgroundColor });
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  file.append(title, description, ground, copy, ...lines.map((line, index) => written(line, height + (index + 1) * LINE, look)));
  return new XMLSerializer().serializeToString(file);
}

const element = (name, attributes = {}) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

function written(line, y, look) {
  const text = element("text", { x: 8, y, fill: look.color, "font-size": 11, "font-family": look.fontFamily });
  text.textContent = line;
  return text;
}

/** A line cut into pieces of at most so many letters, at spaces where there are any. */
const folded = (line, most) => line.match(new RegExp(`.{1,${Math.max(most, 20)}}(?:\\s|$)|.{1,${Math.max(most, 20)}}`, "g")) ?? [];

/** Write onto each element of a copy what style sheets say of the original; drop what is not shown. */
function dress(original, copy) {
  const looks = getComputedStyle(original);
  for (const name of LOOKS) {
    const value = looks.getPropertyValue(name);
    if (value) copy.setAttribute(name, value.replaceAll('"', "'"));
  }
  for (const name of ["class", "style", "tabindex"]) copy.removeAttribute(name);
  const pairs = [...original.children].map((child, index) => [child, copy.children[index]]);
  for (const [child, twin] of pairs) {
    const inDefinitions = original.closest("defs, pattern, clipPath");
    if (!inDefinitions && getComputedStyle(child).display === "none") twin.remove();
    else dress(child, twin);
  }
}
