// The example shop, as it is, from click to refund: a real browser, the package `stripe`, and the running Worker.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import Stripe from "stripe";
import { shop } from "../../examples/shop/shop.mjs";
import { stripeStandIn } from "../../examples/shop/stripe-stand-in.mjs";
import { API, api, domain, key, link, run, site, until, webhook, worker } from "./world.mjs";

const SHOP = "www.shop.example";
const PAY = "pay.shop.example";

/** The shop, and what stands for Stripe on a port of its own: { stripe, payments }. */
async function open() {
  const server = createServer((request, response) => standIn(request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  const { port } = server.address();
  const stripe = new Stripe("sk_test_of_the_stand_in", { host: "127.0.0.1", port, protocol: "http" });
  const standIn = stripeStandIn({ stripe, webhook, url: `http://${PAY}` });
  const pimms = { api: `${worker}/api`, key, script: `http://${API}/analytics/script.js` };
  site(SHOP, shop({ stripe, pimms, url: `http://${SHOP}` }));
  site(PAY, standIn);
  return { stripe, payments: `http://127.0.0.1:${port}` };
}

/** A visitor comes by the link and signs up. */
async function signUp(context, made, email) {
  const page = await context.newPage();
  await page.goto(`http://${domain}/${made.key}`);
  await until("the cookie", async () => (await context.cookies()).find(({ name }) => name == "pimms_id"));
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign up" }).click();
  return page;
}

/** Pays what the button asks for: the Checkout Session's id. */
async function pay(page, button, amount) {
  await page.getByRole("button", { name: button }).click();
  const paying = page.getByRole("button", { name: `Pay ${amount}` });
  await paying.waitFor();
  const session = new URL(page.url()).pathname.split("/").at(-1);
  await paying.click();
  await page.getByText("Thank you!").waitFor();
  return session;
}

/** Waits until the link's figures are these, and stay so. */
async function totals(made, wanted) {
  let found;
  const look = async () => {
    found = (await api("GET", "/ledger/totals")).live.links[made.id];
    return Object.entries(wanted).every(([name, value]) => JSON.stringify(found?.[name]) == JSON.stringify(value));
  };
  await until(JSON.stringify(wanted), look).catch((error) => assert.fail(`${error.message}, but ${JSON.stringify(found)}`));
}

await run({
  async "Checkout: one id of the shop's own, a sale, a refund"(context) {
    const { stripe } = await open();
    const made = await link(`http://${SHOP}/`);
    const page = await signUp(context, made, "checkout@example.com");
    const session = await pay(page, "Buy the book", "49.00 USD");
    await totals(made, { clicks: 1, sales: 1, gross: { usd: 4900 }, net: { usd: 4900 } });
    const { payment_intent } = await stripe.checkout.sessions.retrieve(session);
    await stripe.refunds.create({ payment_intent, amount: 900 });
    await totals(made, { sales: 1, gross: { usd: 4900 }, refunded: { usd: 900 }, net: { usd: 4000 } });
    const [customer] = await api("GET", "/customers?email=checkout@example.com");
    assert.equal(customer.name, "Ada Lovelace");
  },

  async "Customers: a subscription and its renewal"(context) {
    const { payments } = await open();
    const made = await link(`http://${SHOP}/`);
    const page = await signUp(context, made, "customer@example.com");
    const session = await pay(page, "Subscribe", "9.00 EUR");
    await totals(made, { clicks: 1, sales: 1, gross: { eur: 900 } });
    const renewed = await fetch(`${payments}/pay/${session}/renew`, { method: "POST" });
    assert.equal(renewed.status, 200);
    await totals(made, { sales: 2, gross: { eur: 1800 }, net: { eur: 1800 } });
  },

  async "a visitor who came by no link buys all the same, and the sale is nobody's"(context) {
    await open();
    const before = (await api("GET", "/ledger/totals")).live.unattributed.sales;
    const page = await context.newPage();
    await page.goto(`http://${SHOP}/`);
    await page.getByLabel("Name").fill("Nobody");
    await page.getByLabel("E-mail").fill("nobody@example.com");
    await page.getByRole("button", { name: "Sign up" }).click();
    await pay(page, "Buy the book", "49.00 USD");
    await until("a sale without a link", async () => (await api("GET", "/ledger/totals")).live.unattributed.sales == before + 1);
  },
});
