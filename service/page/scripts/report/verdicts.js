/** What an answer means for something that was sent: whose answer it is, and what is to be done. */

const OURS = "urn:ceasefire:problem:";
const HASH = /^[0-9a-f]{64}$/;
const LATER = new Set([408, 425, 429]);

/**
 * One of `{receipt}`, `{refused: {status, detail, errors}}` (sending it again as it is would change
 * nothing), `{key: true}` (another key is needed) or `{wait: seconds or null}` (try again).
 *
 * What does not come from the service means nothing: a hotel's page that answers everything with
 * 200 is no receipt, and its 403 is no refusal. `isReceipt` tells the service's own receipt.
 */
export async function verdict(answer, isReceipt) {
  const told = await answer.json().catch(() => null);
  if (answer.status === 200 || answer.status === 201) {
    return isReceipt(told) ? { receipt: told } : { wait: null };
  }
  if (LATER.has(answer.status) || answer.status >= 500) return { wait: seconds(answer) };
  const ours = typeof told?.type === "string" && told.type.startsWith(OURS) && told.status === answer.status;
  if (!ours) return { wait: null };
  if (answer.status === 401 || answer.status === 403) return { key: true };
  return { refused: { status: told.status, detail: told.detail ?? "", errors: told.errors ?? [] } };
}

/** Whether this is the service's receipt for a report. */
export const ofReport = (id) => (told) => told?.id === id && HASH.test(told.sha256) && typeof told.received === "string";

/** Whether this is the service's receipt for a photo of a report. */
export const ofPhoto = (report, sha256) => (told) =>
  typeof told?.id === "string" && told.report === report && told.sha256 === sha256;

/** After how many seconds to come back, where the answer says so (a number or a date). */
function seconds(answer) {
  const said = answer.headers.get("Retry-After");
  if (said === null) return null;
  const after = /^\d+$/.test(said.trim()) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isFinite(after) ? Math.min(Math.max(after, 0), 3600) : null;
}
