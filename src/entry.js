// The entry of the Worker: plain redirects by the short way, everything else by the ordinary one.
//
// Calls between JavaScript and WebAssembly are what costs here, so a plain GET of a link that this isolate knows
// takes one: its lines go in, the lines of the answer come out (both told in src/core/quick.rs), and one Response
// is made of them. Nothing is decided here.

import Worker from "./index.js";

export * from "./index.js";

const { quickRedirect, quickFound, holdVisit, heldVisits, keepVisits } = Worker.prototype;
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
  const asked = `${request.url}\n${(env.PIMMS_LOCAL && headers.get("x-pimms-host")) || ""}\n${text("cf-connecting-ip")}\n${text("user-agent")}\n${text("referer")}\n${text("cookie")}\n${text("accept-language")}\n${cf.country || text("cf-ipcountry")}\n${cf.continent || ""}\n${cf.regionCode || ""}\n${cf.city || ""}\n${cf.latitude || ""}\n${cf.longitude || ""}\n${cf.colo || ""}`;
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
        failed(error, env, ctx);
        return ordinary();
      }
    },
    (error) => {
      failed(error, env, ctx);
      return ordinary();
    },
  );
}

function answer(lines, env, ctx) {
  const parts = lines.split("\n");
  const status = +parts[0];
  const headers = { location: parts[1], "cache-control": "private, no-store", "x-powered-by": "pimms-edge" };
  if (parts[2] !== "") headers["x-robots-tag"] = "googlebot: noindex";
  for (let at = 3; at < parts.length; at += 1) headers[SET_COOKIE[at - 3]] = parts[at];
  const response = new Response(null, { status, headers });
  // Where Analytics Engine is bound; the ordinary way writes the same (src/core/metrics.rs).
  env.METRICS?.writeDataPoint({ indexes: ["link"], blobs: ["link", "3xx"], doubles: [status, 0] });
  // Last: whatever threw before is answered the ordinary way, which records the visit itself.
  const due = holdVisit();
  if (due !== 0) send(due, env, ctx);
  return response;
}

// How long a visit waits for others that go to the queue in the same message.
const WAIT_MS = 100;

// How many messages there have been.
let messages = 0;

// The wasm holds visits (src/edge/held_visits.rs) and says when they are due: 1, in a moment; 2, now.
function send(due, env, ctx) {
  if (due === 2) return flush(env, ctx);
  const message = messages;
  ctx.waitUntil(
    scheduler.wait(WAIT_MS).then(() => {
      if (messages === message) flush(env, ctx);
    }),
  );
}

function flush(env, ctx) {
  messages += 1;
  const text = heldVisits();
  if (text === undefined) return;
  ctx.waitUntil(
    env.CLICKS.send(text, { contentType: "text" }).catch((refused) => keepVisits(env, text, String(refused))),
  );
}

function failed(error, env, ctx) {
  console.error("alarm: the short way failed", error);
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  try {
    // What a crashed instance holds can mostly still be read, and only now.
    flush(env, ctx);
  } catch (lost) {
    console.error("alarm: the clicks of the last moment are lost", lost);
  }
  state.criticalError = true;
}

export default {
  fetch(request, env, ctx) {
    const ordinary = () => new Worker(ctx, env).fetch(request);
    // After a crash of the WebAssembly instance the ordinary way makes a new one first.
    if (request.method !== "GET" || state.criticalError) return ordinary();
    try {
      return quick(request, env, ctx, ordinary) ?? ordinary();
    } catch (error) {
      failed(error, env, ctx);
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
