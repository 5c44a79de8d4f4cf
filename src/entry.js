// The entry of the Worker: plain redirects by the short way, everything else by the ordinary one.
//
// Calls between JavaScript and WebAssembly are what costs here, so a plain GET of a link that this isolate knows
// takes one: its lines go in, the lines of the answer come out (both told in src/core/quick.rs), and one Response
// is made of them. Nothing is decided here.

import Worker from "./index.js";

export * from "./index.js";

const { quickRedirect, keepVisit } = Worker.prototype;
// worker-build's: says that the WebAssembly instance crashed and must be made anew, which the ordinary way does.
const state = globalThis.__worker_init_state ?? {};

// What the short way does not look at; whoever sends one of these goes the ordinary way.
const ORDINARY = ["pimms-no-track", "sec-purpose", "purpose", "x-purpose", "x-moz"];

function quick(request, env, ctx) {
  const headers = request.headers;
  for (const name of ORDINARY) if (headers.has(name)) return;
  const cf = request.cf || {};
  const text = (name) => headers.get(name) || "";
  const lines = quickRedirect(
    `${request.url}\n${(env.PIMMS_LOCAL && headers.get("x-pimms-host")) || ""}\n${text("cf-connecting-ip")}\n${text("user-agent")}\n${text("referer")}\n${text("cookie")}\n${text("accept-language")}\n${headers.get("cf-ipcountry") || cf.country || ""}\n${cf.continent || ""}\n${cf.regionCode || ""}\n${cf.city || ""}\n${cf.latitude || ""}\n${cf.longitude || ""}\n${cf.colo || ""}`,
    Date.now(),
  );
  if (lines === undefined) return;
  const [status, location, hidden, visit, ...cookies] = lines.split("\n");
  const all = [
    ["location", location],
    ["cache-control", "private, no-store"],
    ["x-powered-by", "pimms-edge"],
  ];
  if (hidden !== "") all.push(["x-robots-tag", "googlebot: noindex"]);
  for (const cookie of cookies) all.push(["set-cookie", cookie]);
  const response = new Response(null, { status: +status, headers: all });
  // Last: whatever threw before is answered the ordinary way, which records the visit itself.
  if (visit !== "") ctx.waitUntil(send(env, visit));
  return response;
}

async function send(env, visit) {
  try {
    await env.CLICKS.send(visit, { contentType: "text" });
  } catch (refused) {
    await keepVisit(env, visit, String(refused));
  }
}

export default {
  fetch(request, env, ctx) {
    // After a crash of the WebAssembly instance the ordinary way makes a new one first.
    if (request.method === "GET" && !state.criticalError) {
      try {
        const response = quick(request, env, ctx);
        if (response !== undefined) return response;
      } catch (error) {
        console.error("alarm: the short way failed", error);
        if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
      }
    }
    return new Worker(ctx, env).fetch(request);
  },
  queue(batch, env, ctx) {
    return new Worker(ctx, env).queue(batch);
  },
  scheduled(event, env, ctx) {
    return new Worker(ctx, env).scheduled(event);
  },
};
