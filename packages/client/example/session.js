// Where the service is, and the token for it. Both come in the fragment of the address, which no server sees, or from
// `npm start`, which serves this page and gives them to who has the key of the address that it printed. Nothing of it
// stays in the address.

const keyName = "sluice-key";

const fragment = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname + location.search);
if (fragment.has("key")) sessionStorage.setItem(keyName, fragment.get("key"));

/** What the fragment said of a form's field. */
export const given = (name) => fragment.get(name);

async function askServer(key) {
  const response = await fetch("./session", { method: "POST", headers: { "x-sluice-key": key }, cache: "no-store" });
  if (response.ok) return response.json();
  throw new Error(response.status === 403 ? "open the address that npm start printed" : `HTTP ${response.status}`);
}

/**
 * Who serves this page knows the service: its `url`, whether a token has to be typed in (`needsToken`), and else `token()`,
 * which gets a new one whenever it is called. Undefined where this page came without a key; rejects for a wrong one.
 */
export async function readSession() {
  const key = sessionStorage.getItem(keyName);
  if (key === null || fragment.has("url")) return undefined;
  const { url, token, needs_token: needsToken } = await askServer(key);
  return { url, needsToken, token: token === undefined ? undefined : async () => (await askServer(key)).token };
}
