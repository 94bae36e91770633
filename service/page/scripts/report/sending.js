/**
 * The queue: what waits is sent in its order, again and again under the same id, until the service
 * answers with its receipt. One tab sends at a time.
 */

import * as device from "./device.js";
import { ofPhoto, ofReport, verdict } from "./verdicts.js";

const LOCK = "sending";
const LONGEST = 900;
const PATIENCE = 60_000;

/** When to try again after so many attempts, in milliseconds: soon, then ever more seldom. */
export const pause = (attempts) => Math.min(5 * 2 ** (attempts - 1), LONGEST) * 1000;

/**
 * Send what is due; with `all` also what is not due yet. Answers how it went:
 * `{key, offline, until}`: whether another key is needed, whether the service could not be reached,
 * and when to try again (milliseconds since 1970, or null).
 */
export async function send(key, all = false) {
  const work = () => sendAll(key, all);
  if (!navigator.locks) return work();
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : elsewhere()));
}

/** Another tab sends; should it be closed, this one goes on. */
const elsewhere = () => ({ until: Date.now() + pause(1) });

async function sendAll(key, all) {
  const { reports, photos, settings } = await device.everything();
  const told = { key: false, offline: false, until: null };
  const now = Date.now();
  // The service asked for patience; nobody's tap shortens that.
  if (settings.until > now) return { ...told, until: settings.until };
  const written = new Set(reports.map((report) => report.id));
  const due = (each) => all || (each.next ?? 0) <= now;
  const waiting = reports.filter((report) => report.state === "queued");
  const behind = photos.filter((photo) => !photo.problem);
  const jobs = [
    ...waiting.filter(due).map(ofOneReport),
    ...behind.filter((photo) => due(photo) && !written.has(photo.report)).map(ofOnePhoto),
  ];
  // Photos go after their report, in the same round where its receipt comes.
  while (jobs.length > 0) {
    const job = jobs.shift();
    const attempts = (job.attempts ?? 0) + 1;
    await job.change({ attempts, next: Date.now() + pause(attempts) });
    const outcome = await tried(job, key);
    if (outcome.receipt) {
      await job.done(outcome.receipt);
      jobs.push(...behind.filter((photo) => photo.report === job.report).map(ofOnePhoto));
    } else if (outcome.refused) {
      await job.refuse(outcome.refused);
    } else {
      return { ...told, ...(await stopped(job, attempts, outcome)) };
    }
  }
  return { ...told, until: earliest(await device.everything()) };
}

/** What one answer of no use says of all that waits. */
async function stopped(job, attempts, outcome) {
  if (outcome.key) {
    // It was refused before it was read: nothing of it is there.
    await job.change({ attempts: attempts - 1, next: 0 });
    return { key: true };
  }
  if (outcome.wait === null) return { offline: true, until: Date.now() + pause(attempts) };
  const until = Date.now() + outcome.wait * 1000;
  await device.set("until", until);
  return { until };
}

function earliest({ reports, photos }) {
  const written = new Set(reports.map((report) => report.id));
  const left = [
    ...reports.filter((report) => report.state === "queued"),
    ...photos.filter((photo) => !photo.problem && !written.has(photo.report)),
  ];
  return left.length > 0 ? Math.min(...left.map((each) => each.next ?? 0)) : null;
}

async function tried({ address, body, type, isReceipt }, key) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": type },
      body,
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    return await verdict(answer, isReceipt);
  } catch {
    return { wait: null };
  }
}

const ofOneReport = ({ id, body, attempts }) => ({
  report: id,
  attempts,
  address: "/v1/reports",
  body,
  type: "application/json",
  isReceipt: ofReport(id),
  change: (changes) => device.changeReport(id, changes),
  refuse: (problem) => device.changeReport(id, { state: "refused", problem }),
  done: ({ sha256, received, status }) =>
    device.received({ id, sha256, received, status, photos: [], kept: false, seen: false, at: Date.now() }),
});

const ofOnePhoto = (photo) => ({
  attempts: photo.attempts,
  address: `/v1/reports/${photo.report}/photos?sha256=${photo.sha256}`,
  body: photo.blob,
  type: photo.blob.type,
  isReceipt: ofPhoto(photo.report, photo.sha256),
  change: (changes) => device.changePhoto(photo, changes),
  refuse: (problem) => device.changePhoto(photo, { problem }),
  done: ({ id, sha256 }) => device.photoReceived(photo, { id, sha256 }),
});
