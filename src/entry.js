// The entry of the Worker: plain redirects by the short way, everything else by the ordinary one.
//
// Calls between JavaScript and WebAssembly are what costs here, so a plain GET of a link that this isolate knows
// takes one: its lines go in, the lines of the answer come out (both told in src/core/quick.rs), and one Response
// is made of them. Nothing is decided here.

import Worker from "./index.js";

export * from "./index.js";

const { quickRedirect, quickFound, keepVisits } = Worker.prototype;
// worker-build's: says that the WebAssembly instance crashed and must be made anew, which the ordinary way does.
const state = globalThis.__worker_init_state ?? {};

// What the short way does not look at; whoever sends one of these goes the ordinary way.
const ORDINARY = ["pimms-no-track", "sec-purpose", "purpose", "x-purpose", "x-moz"];

// A header may come more than once when its name is written differently each time; anything else that adds a second
// cookie makes the runtime build another object per response. Four are the most there are: core's Visitor::cookies.
const SET_COOKIE = ["set-cookie", "Set-Cookie", "SET-COOKIE", "Set-cookie"];

// KV's least, as in src/edge/kv_links.rs.
const READ = { type: "text", cacheTtl: 30 };

// The response to a plain redirect, or a promise of one; undefined: go the ordinary way.
function quick(request, env, ctx, ordinary) {
  const headers = request.headers;
  for (const name of ORDINARY) if (headers.has(name)) return;
  const cf = request.cf || {};
  const text = (name) => headers.get(name) || "";
  const asked = `${request.url}\n${(env.PIMMS_LOCAL && headers.get("x-pimms-host")) || ""}\n${text("cf-connecting-ip")}\n${text("user-agent")}\n${text("referer")}\n${text("cookie")}\n${text("accept-language")}\n${headers.get("cf-ipcountry") || cf.country || ""}\n${cf.continent || ""}\n${cf.regionCode || ""}\n${cf.city || ""}\n${cf.latitude || ""}\n${cf.longitude || ""}\n${cf.colo || ""}`;
  const lines = quickRedirect(asked, Date.now());
  if (lines === undefined) return;
  return lines.startsWith("link:") ? unknown(lines, asked, env, ctx, ordinary) : answer(lines, env, ctx);
}

// The link is not in memory: KV may have it. One promise, since each costs.
function unknown(name, asked, env, ctx, ordinary) {
  return env.LINKS.get(name, READ).then(
    (record) => {
      if (state.criticalError) return ordinary();
      try {
        const lines = quickFound(name, record ?? undefined, asked, Date.now());
        return lines === undefined ? ordinary() : answer(lines, env, ctx);
      } catch (error) {
        failed(error);
        return ordinary();
      }
    },
    (error) => {
      failed(error);
      return ordinary();
    },
  );
}

function answer(lines, env, ctx) {
  const [status, location, hidden, visit, ...cookies] = lines.split("\n");
  const headers = { location, "cache-control": "private, no-store", "x-powered-by": "pimms-edge" };
  if (hidden !== "") headers["x-robots-tag"] = "googlebot: noindex";
  cookies.forEach((cookie, index) => (headers[SET_COOKIE[index]] = cookie));
  const response = new Response(null, { status: +status, headers });
  // Where Analytics Engine is bound; the ordinary way writes the same (src/core/metrics.rs).
  env.METRICS?.writeDataPoint({ indexes: ["link"], blobs: ["link", "3xx"], doubles: [+status, 0] });
  // Last: whatever threw before is answered the ordinary way, which records the visit itself.
  if (visit !== "") keep(visit, env, ctx);
  return response;
}

// Visits on their way to the queue: a message takes several, one a line. What an isolate holds dies with it, so it
// holds few and not for long.
const MOST_VISITS = 50;
const MOST_MS = 100;
// A message may have 128 kB, and a character three bytes.
const MOST_CHARACTERS = 40_000;
// A batch is sent by the request that began it. Should that one have been ended, the next that comes sends it.
const LATE_MS = 1_000;

let batch;

function keep(visit, env, ctx) {
  const now = Date.now();
  if (batch !== undefined && (batch.text.length + visit.length >= MOST_CHARACTERS || now - batch.since > LATE_MS)) {
    flush(batch, env, ctx);
  }
  if (batch === undefined) {
    const begun = { text: visit, count: 1, since: now };
    batch = begun;
    ctx.waitUntil(
      scheduler.wait(MOST_MS).then(() => {
        if (batch === begun) flush(begun, env, ctx);
      }),
    );
    return;
  }
  batch.text += `\n${visit}`;
  batch.count += 1;
  if (batch.count >= MOST_VISITS) flush(batch, env, ctx);
}

function flush({ text }, env, ctx) {
  batch = undefined;
  ctx.waitUntil(
    env.CLICKS.send(text, { contentType: "text" }).catch((refused) => keepVisits(env, text, String(refused))),
  );
}

function failed(error) {
  console.error("alarm: the short way failed", error);
  if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
}

export default {
  fetch(request, env, ctx) {
    const ordinary = () => new Worker(ctx, env).fetch(request);
    // After a crash of the WebAssembly instance the ordinary way makes a new one first.
    if (request.method !== "GET" || state.criticalError) return ordinary();
    try {
      return quick(request, env, ctx, ordinary) ?? ordinary();
    } catch (error) {
      failed(error);
      return ordinary();
    }
  },
  queue(batch, env, ctx) {
    return new Worker(ctx, env).queue(batch);
  },
  scheduled(event, env, ctx) {
    return new Worker(ctx, env).scheduled(event);
  },
};
