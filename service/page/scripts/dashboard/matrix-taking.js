/** Taking the matrix away: as a file of its claims, as the service's own data, on paper, as a link. */

import { html } from "../library.js";
import { t } from "../language.js";
import { address } from "../service.js";
import { OUTCOMES } from "./matrix-cells.js";

const COLUMNS = [
  ...["incident", "report", "claimant", "stance", "status", "basis", "grade", "counted", "reason"],
  ...["when", "sector", "place", "attributed_to", "party", "group", "outcome"],
  ...["low", "best", "high", "words", "reported", "received", "summary"],
];

/** Buttons and links below a matrix. */
export function Taking({ incident, asOf }) {
  const name = `${incident.start ?? incident.end}-${incident.id.slice(0, 8)}.csv`;
  const save = () => {
    const made = URL.createObjectURL(new Blob([csv(incident)], { type: "text/csv;charset=utf-8" }));
    const link = document.createElement("a");
    link.href = made;
    link.download = `claims-${name}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(made), 1000);
  };
  const link = new URL(address("/", { incident: incident.id, as_of: asOf }), location.href);
  return html`<p class="taking">
    <button type="button" onClick=${save}>${t("matrix.csv")}</button>
    <button type="button" onClick=${() => print()}>${t("matrix.print")}</button>
    <a class="button" href=${address(`/v1/incidents/${incident.id}`, { as_of: asOf })}>${t("matrix.as_data")}</a>
    <a class="button" href=${link.href}>${t("matrix.link")}</a>
  </p>`;
}

/** The claims as they are shown: a line for each figure, and one for each claim without any. */
export function csv(incident) {
  const lines = incident.claims.flatMap((claim) => {
    const of = { ...claim, incident: incident.id, report: claim.id, sector: claim.where.sector, place: claim.where.place };
    const figures = claim.casualties.flatMap(({ party, group, ...told }) =>
      OUTCOMES.filter((outcome) => outcome in told).map((outcome) => ({ ...of, party, group, outcome, ...told[outcome] })),
    );
    return figures.length ? figures : [of];
  });
  const rows = [COLUMNS, ...lines.map((line) => COLUMNS.map((column) => line[column]))];
  return `\ufeff${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}

/** What a spreadsheet would take for a formula is made text. */
function field(value) {
  const text = String(value ?? "");
  const inert = typeof value === "string" && /^\s*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
