// A small internet for a real browser: merchants' pages from here, short links, API and scripts from the running Worker.

import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";
import chromium from "@sparticuz/chromium";
import { chromium as browsers } from "playwright-core";

const { url: worker, domain, key, webhook } = JSON.parse(process.env.PIMMS_WORLD);
const { hostname, port } = new URL(worker);

/** Hosts that the Worker answers, besides the workspace's short-link domain. */
const API = "api.pimms.test";
const pages = new Map();
/** Every request that reached a server: { method, host, path, body, headers }. */
export const requests = [];

export { domain, key, worker, webhook, API };

/** What a host shows under every path: a text, or what a server's handler answers. */
export function site(host, page) {
  pages.set(host, page);
}

/** A page with a script tag; `attributes` as text. */
export function withScript(attributes, body = "", src = `http://${API}/analytics/script.js`) {
  return `<!doctype html><title>Shop</title><body>${body}<script defer src="${src}" ${attributes}></script>`;
}

/** Calls the workspace's API. */
export async function api(method, path, body) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(`${worker}/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

let count = 0;
/** A new link of the workspace; its key is `key`. */
export function link(url, key = `k${count++}`) {
  return api("POST", "/links", { domain, key, url });
}

/** How many clicks a link has, once it has `wanted` and stays with them. */
export async function clicks(link, wanted) {
  let found;
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(100)) {
    found = (await api("GET", `/links/${link.id}`)).clicks;
    if (found >= wanted) break;
  }
  return found;
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until `look` gives something. */
export async function until(what, look) {
  for (const end = Date.now() + 8_000; Date.now() < end; await sleep(50)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`never: ${what}`);
}

function serve(incoming, outgoing) {
  const host = incoming.headers.host.split(":")[0];
  const page = pages.get(host);
  if (typeof page == "function") return page(incoming, outgoing);
  const chunks = [];
  incoming.on("data", (chunk) => chunks.push(chunk));
  incoming.on("end", () => {
    const body = Buffer.concat(chunks);
    const seen = { method: incoming.method, host, path: incoming.url, body: body.toString(), headers: incoming.headers };
    requests.push(seen);
    const isOurs = host == domain || host == API || incoming.url.startsWith("/_pimms/");
    if (!isOurs) {
      outgoing.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
      return outgoing.end(page);
    }
    const headers = { ...incoming.headers, "x-pimms-host": host };
    const inner = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      seen.status = answer.statusCode;
      seen.answer = answer.headers;
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    inner.on("error", (error) => outgoing.writeHead(502).end(String(error)));
    inner.end(body);
  });
}

/** Runs the cases one after another, each in a browser profile of its own, and says of each by name how it went. */
export async function run(cases) {
  const server = createServer(serve);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  // Of the packaged flags only those that make it start here: none that weakens what is tested.
  const weakening = /single-process|web-security|insecure-content|site-isolation|disable-features|enable-features/;
  const browser = await browsers.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args.filter((flag) => !weakening.test(flag)),
      `--host-resolver-rules=MAP * 127.0.0.1:${server.address().port}`,
    ],
  });
  let failed = 0;
  for (const [name, test] of Object.entries(cases)) {
    // A browser without a window says so, and is a program then: its clicks do not count.
    const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version()} Safari/537.36`;
    const context = await browser.newContext({ userAgent });
    const noise = [];
    context.on("console", (message) => noise.push(message.text()));
    context.on("weberror", (error) => noise.push(String(error.error())));
    requests.length = 0;
    try {
      await Promise.race([
        test(context, noise),
        sleep(60_000).then(() => Promise.reject(new Error("took more than a minute"))),
      ]);
      if (noise.length) throw new Error(`the page is not silent: ${noise.join(" | ")}`);
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}: ${error.stack}`);
    }
    await context.close();
  }
  await browser.close();
  server.close();
  console.log(`${Object.keys(cases).length} cases, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

/** The path of a file of the checkout. */
export const checkout = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
