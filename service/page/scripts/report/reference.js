/** The words of the theatre that the form needs, as the service or the worker's copy tells them. */

const LISTS = ["places", "sectors", "weapons", "parties", "claimants"];

/** What the form works with before anything is known: everything can still be written in words. */
export const NOTHING = { theatre: null, places: [], sectors: [], weapons: [], parties: [], claimants: [] };

// Asked without a key: what is public may be kept on the device.
async function read(name) {
  const answer = await fetch(`/v1/${name}`, { credentials: "omit" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** `{theatre, places, …}`; what cannot be had now is left empty. */
export async function reference() {
  const [theatre, ...lists] = await Promise.allSettled([read("theatre"), ...LISTS.map(read)]);
  const items = lists.map((list, i) => [LISTS[i], list.value?.items ?? []]);
  return { theatre: theatre.value ?? null, ...Object.fromEntries(items) };
}
