// Keeps every file of the page, so that it works without a network after the
// first load. Its files' checksums and the version are written by to_browser.
const VERSION = "%VERSION%";
const SUMS = {/*%SUMS%*/};
// An address may hold several pages, and stores of others: ours name their page.
const OURS = `distill-student ${self.registration.scope} `;
const STORE = OURS + VERSION;
const AT_ONCE_MS = 4000; // for the page itself, before the stored one is shown
const address = (name) => new URL(name, self.registration.scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

async function fill() {
  const store = await caches.open(STORE);
  try {
    await Promise.all(Object.keys(SUMS).map((name) => keep(store, name)));
  } catch (error) {
    await caches.delete(STORE); // all of a version, or nothing
    throw error;
  }
}

async function keep(store, name) {
  const answer = await fetch(address(name), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${name} could not be loaded (${answer.status})`);
  const digest = await crypto.subtle.digest("SHA-256", await answer.clone().arrayBuffer());
  const sum = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0"));
  if (sum.join("") !== SUMS[name]) throw new Error(`${name} is of another version`);
  await store.put(address(name), answer);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});

// Takes away what this page stored for earlier versions, and nothing else.
async function forget() {
  for (const name of await caches.keys()) {
    const earlier = name.startsWith(OURS) && name !== STORE;
    if (earlier || await isOfTheFirstKind(name)) await caches.delete(name);
  }
}

// Stores used to be named by their content alone; whose they are, that tells.
async function isOfTheFirstKind(name) {
  if (!/^student-[0-9a-f]{16}$/.test(name)) return false;
  const store = await caches.open(name);
  return Boolean(await store.match(address("./")) && await store.match(address("page.json")));
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  url.search = url.hash = "";
  if (event.request.method !== "GET" || !url.href.startsWith(address("./"))) return;
  const fixed = url.href.startsWith(address(`${VERSION}/`));
  event.respondWith(fixed ? stored(event.request, url.href) : newest(event.request, url.href));
});

async function stored(request, href) {
  return (await (await caches.open(STORE)).match(href)) ?? fetch(request);
}

// The page and its list may have been replaced: the server is asked first.
async function newest(request, href) {
  const found = await (await caches.open(STORE)).match(href);
  if (!found) return fetch(request);
  try {
    const signal = AbortSignal.timeout(AT_ONCE_MS);
    const answer = await fetch(href, { cache: "no-cache", signal });
    return answer.ok && !answer.redirected ? answer : found;
  } catch {
    return found; // no network
  }
}
