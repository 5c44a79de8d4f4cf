// What stands behind the runtime's own bindings during a measurement: the least that answers. It runs in the
// same process, so what it costs is on the Worker's bill.

import records from "records.json";

let reads = 0;
let others = 0;
let messages = [];

/** KV: the records as the Worker writes them. */
export const kv = {
  fetch(request) {
    reads += 1;
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const record = records[name];
    return record === undefined ? new Response(null, { status: 404 }) : new Response(record);
  },
};

const TAKEN = JSON.stringify({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } } });

/** The queue: keeps what it is given, unread. */
export const queue = {
  async fetch(request) {
    const message = await request.arrayBuffer();
    // Not in one expression with the line above: `messages` may be another list by then.
    messages.push(message);
    return new Response(TAKEN);
  },
};

/** D1: a redirect whose link is in memory or KV must never come here. */
export const d1 = {
  fetch() {
    others += 1;
    return new Response("there is no database here", { status: 500 });
  },
};

// A message of content type `json` is its text as a JSON string; one of type `text` is the text itself.
const decoder = new TextDecoder();
function text(message) {
  const body = decoder.decode(message);
  return body.startsWith('"') ? JSON.parse(body) : body;
}

/** What arrived since somebody asked last. */
export default {
  fetch() {
    const clicks = messages.flatMap((message) => text(message).split("\n").map((line) => JSON.parse(line).i));
    const told = Response.json({ reads, others, messages: messages.length, clicks });
    [reads, others, messages] = [0, 0, []];
    return told;
  },
};
