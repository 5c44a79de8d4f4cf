// Starts the shop beside the instance that `cargo run` has started, and makes a short link to it.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import Stripe from "stripe";
import { shop } from "./shop.mjs";
import { stripeStandIn } from "./stripe-stand-in.mjs";

const SHOP_PORT = Number(process.env.PORT ?? 4242);
const STRIPE_PORT = SHOP_PORT + 1;

/** What `cargo run` says of itself. */
async function running() {
  const file = new URL("../../.pimms/running.json", import.meta.url);
  try {
    return JSON.parse(await readFile(process.env.PIMMS_RUNNING ?? file, "utf8"));
  } catch {
    console.error("There is no running instance: start it with `cargo run` in the project's folder.");
    process.exit(1);
  }
}

const instance = await running();
const url = `http://localhost:${SHOP_PORT}`;
const pimms = { api: instance.apiUrl, key: instance.apiKey, script: `${instance.url}/analytics/script.js` };

// With a real account: `new Stripe(process.env.STRIPE_SECRET_KEY)`, and no stand-in.
const stripe = new Stripe("sk_test_of_the_stand_in", { host: "localhost", port: STRIPE_PORT, protocol: "http" });
const webhook = { url: instance.webhookUrl, secret: instance.webhookSecret };
const standIn = stripeStandIn({ stripe, webhook, url: `http://localhost:${STRIPE_PORT}` });

createServer(shop({ stripe, pimms, url })).listen(SHOP_PORT, "localhost");
createServer(standIn).listen(STRIPE_PORT, "localhost");

const answer = await fetch(`${pimms.api}/links/upsert`, {
  method: "PUT",
  headers: { authorization: `Bearer ${pimms.key}`, "content-type": "application/json" },
  body: JSON.stringify({ url: `${url}/`, key: "example-shop", trackConversion: true }),
});
const link = await answer.json();
if (!answer.ok) throw new Error(JSON.stringify(link));
console.log(`The shop is at ${url}, its payments at http://localhost:${STRIPE_PORT}.
Come by its short link: ${instance.url}/${link.key}
Sign up, buy, and see the sale in the dashboard: ${instance.url}/app`);
