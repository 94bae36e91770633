/** What a monitor writes, and the report that the service is sent for it. */

const POSITION = { district: 1, settlement: 2, exact: 4 };
const OWN_EYES = "monitor";

/** An empty form; its values are texts as they stand in its fields. */
export const blank = () => ({
  when: { how: "day", day: "", last: "", lasted: false, month: "", year: "", time: "", offset: "" },
  where: {
    how: "place",
    ...{ place: "", words: "", sector: "", district: "", within: "" },
    ...{ lat: "", lon: "", precision: "district" },
  },
  who: { how: "", claimant: "", words: "", reported: "" },
  weapons: [],
  casualties: [],
  attributed_to: "",
  stance: "asserts",
  about: { kind: "report", id: "" },
  summary: "",
  sources: [],
});

/** A line of casualties, and a source, before anything is written in them. */
export const blankLine = () => ({ party: "", group: "", outcome: "killed", how: "exactly", low: "", high: "", words: "" });
export const blankSource = () => ({ title: "", publisher: "", published: "", url: "" });

/** A line without the marks that nobody sees, which come along with what is copied from elsewhere. */
const plain = (text) => text.replace(/\p{Cf}/gu, "").replace(/\p{Cc}/gu, " ").trim();

/** Whether the last day that was chosen lies before the first. */
export const isReversed = ({ how, day, last }) => how === "between" && day !== "" && last !== "" && last < day;

/** What was chosen of days and times as the service reads it (ISO 8601, EDTF), or "" where something is missing. */
export function edtf({ how, day, last, lasted, month, year, time, offset }) {
  if (how === "month") return /^\d{4}$/.test(year) ? [year, month].filter(Boolean).join("-") : "";
  if (!day) return "";
  if (how === "about") return `${day}~`;
  if (how === "by") return `[..${day}]`;
  if (how === "between") {
    if (!last || isReversed({ how, day, last })) return "";
    if (last === day) return day;
    return lasted ? `${day}/${last}` : `[${day}..${last}]`;
  }
  return time ? `${day}T${time}${offset}` : day;
}

/** Degrees as typed (with a point or a comma), as coarse as the precision asks; NaN for what is none. */
export function degrees(text, precision, most) {
  const value = text.trim() === "" ? NaN : Number(text.trim().replace(",", "."));
  return Math.abs(value) <= most ? Number(value.toFixed(POSITION[precision])) : NaN;
}

/** What was typed of degrees without the digits that the precision does not keep. */
export const cut = (text, precision) => text.replace(new RegExp(`([.,]\\d{${POSITION[precision]}})\\d+`), "$1");

function place({ how, place: known, words, sector, district, within, lat, lon, precision }) {
  const written = plain(within) ? { as_written: plain(within) } : {};
  if (how === "sector") return sector ? { sector, ...written } : null;
  if (how === "district") return district ? { place: district, ...written } : null;
  if (how === "position") {
    const position = { lat: degrees(lat, precision, 90), lon: degrees(lon, precision, 180), precision };
    return Number.isNaN(position.lat + position.lon) ? null : position;
  }
  const named = known || plain(words);
  return named ? { place: named } : null;
}

/** The code of the claimant who is the monitor: the theatre's own of that kind, if it has one. */
const monitor = (claimants) => claimants.find((each) => each.kind === OWN_EYES)?.id ?? OWN_EYES;

function claimant({ how, claimant: known, words }, claimants) {
  if (how === "self") return monitor(claimants);
  return how === "heard" ? known || plain(words) : "";
}

const whole = (text) => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : null);

/** What a line counts, or null where it says nothing or what is no number. */
export function count({ how, low, high, words }) {
  if (how === "words") return plain(words) ? { words: plain(words) } : null;
  const [least, most] = [whole(low), whole(high)];
  if (least === null) return null;
  if (how === "exactly") return least;
  if (how === "least") return { low: least };
  return most === null || most < least ? null : { low: least, high: most };
}

/** Lines of one party and group stand together, unless they count the same outcome. */
function casualties(lines) {
  const items = [];
  for (const line of lines) {
    const [party, group] = [line.party || undefined, line.group || undefined];
    const fits = (item) => item.party === party && item.group === group && !(line.outcome in item);
    let item = items.find(fits);
    if (!item) items.push((item = { ...(party && { party }), ...(group && { group }) }));
    item[line.outcome] = count(line);
  }
  return items;
}

const filled = (entry) =>
  Object.fromEntries(Object.entries(entry).map(([name, text]) => [name, plain(text)]).filter(([, text]) => text));

/** What keeps a form from being sent: names of its parts, in their order on the page. */
export function missing(form) {
  const wrong = [];
  if (!edtf(form.when)) wrong.push("when");
  if (!place(form.where)) wrong.push("where");
  if (!claimant(form.who, [])) wrong.push("claimant");
  if (form.casualties.some((line) => count(line) === null)) wrong.push("casualties");
  if (form.stance === "denies" && !form.about.id.trim()) wrong.push("about");
  if (form.sources.some((source) => !plain(source.title))) wrong.push("sources");
  return wrong;
}

/** The report as it is sent, under the id that it has for ever. Nothing in it tells of the device. */
export function report(id, form, claimants) {
  const sent = {
    id,
    when: edtf(form.when),
    where: place(form.where),
    claimant: claimant(form.who, claimants),
    weapons: form.weapons.map(({ weapon, calibre }) => {
      const size = Number(calibre.replace(",", "."));
      return size > 0 ? { weapon, calibre_mm: size } : weapon;
    }),
    casualties: casualties(form.casualties),
    stance: form.stance,
    sources: form.sources.map(filled),
  };
  if (form.attributed_to) sent.attributed_to = form.attributed_to;
  if (form.summary.trim()) sent.summary = form.summary;
  if (form.who.how === "heard" && form.who.reported) sent.reported = form.who.reported;
  if (form.stance !== "asserts" && form.about.id.trim()) sent.about = { [form.about.kind]: form.about.id.trim() };
  return sent;
}
