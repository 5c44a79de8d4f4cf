// The Worker, with everything counted that the platform bills. Put around the built one by tests/e2e/cost.rs; it
// changes no behaviour and is part of no build.

import plain, { CustomerLedger as Ledger, Directory as Names } from "./plain.js";

export * from "./plain.js";

const NONE = {
  requests: 0,
  kvReads: 0,
  kvWrites: 0,
  d1Read: 0,
  d1Written: 0,
  objectRequests: 0,
  objectRead: 0,
  objectWritten: 0,
  queueOperations: 0,
};
// A queue bills each begun 64 kB of a message.
const CHUNK = 64 * 1024;

let counts = { ...NONE };
// Statements of objects: how many rows one has read is known when it has been read.
let cursors = [];
// How large D1 was when it answered last.
let databaseBytes = 0;
// What is under way: nothing more will be counted when nothing is.
let running = 0;
let messages = 0;
const alarms = new Set();

async function during(work) {
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
  }
}

// Puts `make(original)` where `target` has a method.
function replace(target, name, make) {
  const original = target[name];
  target[name] = make(original);
}

const known = new WeakSet();

function watchBindings(env) {
  if (known.has(env.DB)) return;
  known.add(env.DB);
  const session = env.DB.alwaysPrimarySession;
  const database = session.fetcher;
  session.fetcher = {
    fetch: async (...request) => {
      const response = await database.fetch(...request);
      const answers = await response.clone().json();
      for (const { meta } of [answers].flat()) {
        counts.d1Read += meta?.rows_read ?? 0;
        counts.d1Written += meta?.rows_written ?? 0;
        databaseBytes = meta?.size_after ?? databaseBytes;
      }
      return response;
    },
  };
  for (const [method, name] of [["get", "kvReads"], ["getWithMetadata", "kvReads"], ["put", "kvWrites"], ["delete", "kvWrites"]]) {
    replace(env.LINKS, method, (original) => (...given) => {
      counts[name] += 1;
      return original.apply(env.LINKS, given);
    });
  }
  for (const queue of [env.CLICKS, env.HOOKS]) {
    replace(queue, "send", (original) => (body, ...rest) => {
      messages += 1;
      counts.queueOperations += operations(body);
      return original.call(queue, body, ...rest);
    });
  }
}

// One write; the consumer adds a read and a delete.
function operations(body) {
  return Math.ceil((new TextEncoder().encode(String(body)).length || 1) / CHUNK);
}

function watchContext(ctx) {
  replace(ctx, "waitUntil", (original) => (promise) => original.call(ctx, during(() => promise)));
}

let watched = false;

// Storage of objects: its methods are those of a prototype, so once is enough.
function watchStorage(storage) {
  if (watched) return;
  watched = true;
  replace(Object.getPrototypeOf(storage.sql), "exec", (original) => function (...given) {
    const cursor = original.apply(this, given);
    // The local runtime notes the names of objects; the platform does not.
    if (!String(given[0]).includes("__miniflare")) cursors.push(cursor);
    return cursor;
  });
}

function counted(Class) {
  return class extends Class {
    constructor(state, env) {
      watchStorage(state.storage);
      watchBindings(env);
      // Setting an alarm is billed as a row written.
      replace(state.storage, "setAlarm", (original) => (...given) => {
        alarms.add(String(state.id));
        counts.objectWritten += 1;
        return original.apply(state.storage, given);
      });
      super(state, env);
      this.countedAs = String(state.id);
    }
    fetch(request) {
      counts.objectRequests += 1;
      return during(() => super.fetch(request));
    }
    alarm() {
      counts.objectRequests += 1;
      alarms.delete(this.countedAs);
      return during(() => super.alarm());
    }
  };
}

export class Directory extends counted(Names) {}
export class CustomerLedger extends counted(Ledger) {}

function tally() {
  const total = { ...counts, databaseBytes, isQuiet: running === 0 && messages === 0 && alarms.size === 0 };
  for (const cursor of cursors) {
    total.objectRead += cursor.rowsRead;
    total.objectWritten += cursor.rowsWritten;
  }
  return total;
}

let crowds = 0;

// As many visitors as asked for, others each time, in the same moment and the same isolate.
function crowd(request, env, ctx, count) {
  const url = new URL(new URL(request.url).searchParams.get("of"), request.url);
  crowds += 1;
  const visits = Array.from({ length: count }, (_, n) => {
    const headers = new Headers(request.headers);
    headers.set("cf-connecting-ip", `10.${crowds}.${n >> 8}.${n & 255}`);
    return visit(new Request(url, { headers, redirect: "manual" }), env, ctx);
  });
  return Promise.all(visits);
}

function visit(request, env, ctx) {
  counts.requests += 1;
  return during(() => plain.fetch(request, env, ctx));
}

export default {
  async fetch(request, env, ctx) {
    watchBindings(env);
    const url = new URL(request.url);
    if (url.pathname === "/_counts") {
      if (request.method === "POST") {
        counts = { ...NONE };
        cursors = [];
      }
      return Response.json(tally());
    }
    watchContext(ctx);
    if (url.pathname === "/_crowd") {
      const answers = await crowd(request, env, ctx, Number(url.searchParams.get("count")));
      return Response.json(answers.map((answer) => answer.status));
    }
    return visit(request, env, ctx);
  },
  async queue(batch, env, ctx) {
    watchBindings(env);
    counts.requests += 1;
    for (const message of batch.messages) counts.queueOperations += 2 * operations(message.body);
    try {
      return await during(() => plain.queue(batch, env, ctx));
    } finally {
      messages -= batch.messages.length;
    }
  },
  scheduled(event, env, ctx) {
    watchBindings(env);
    return plain.scheduled(event, env, ctx);
  },
};
