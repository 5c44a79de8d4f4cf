// Stands for api.stripe.com and for Stripe's payment page, for those without an account at hand: takes the calls of
// the `stripe` package that the shop makes, and delivers the events that Stripe would, signed by that package.

import { randomBytes } from "node:crypto";

const id = (kind) => `${kind}_${randomBytes(12).toString("hex")}`;
const now = () => Math.floor(Date.now() / 1000);

/**
 * Answers the requests. stripe: any client of the package, for its signatures. webhook: { url, secret }, the
 * workspace's address for events. url: where this is. live: whether it plays live mode.
 */
export function stripeStandIn({ stripe, webhook, url, live = true }) {
  const customers = new Map();
  const sessions = new Map();
  const payments = new Map();

  /** Delivers an event until it is taken, as Stripe does. */
  async function deliver(type, object) {
    const event = { id: id("evt"), object: "event", api_version: "2025-03-31.basil", created: now(), livemode: live, type, data: { object } };
    const payload = JSON.stringify(event);
    for (let attempt = 1; ; attempt++) {
      const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: webhook.secret });
      const answer = await fetch(webhook.url, { method: "POST", headers: { "stripe-signature": signature }, body: payload });
      if (answer.ok) return;
      if (attempt === 5) throw new Error(`${type} was refused: ${answer.status} ${await answer.text()}`);
      await new Promise((done) => setTimeout(done, 200 * attempt));
    }
  }

  /** One payment of a session: its charge. */
  function charged({ amount_total: amount, currency, customer }) {
    const charge = { id: id("ch"), object: "charge", created: now(), livemode: live, amount, amount_refunded: 0, currency, customer, payment_intent: id("pi"), paid: true, refunded: false, status: "succeeded" };
    payments.set(charge.payment_intent, charge);
    return charge;
  }

  /** One payment of a subscription, by an invoice. */
  async function invoiced(session, reason) {
    const { amount_total: amount, currency, customer, subscription } = session;
    const invoice = {
      id: id("in"), object: "invoice", created: now(), livemode: live, status: "paid", billing_reason: reason, customer,
      customer_email: customers.get(customer)?.email ?? null, currency, amount_paid: amount, amount_due: amount, total: amount,
      parent: { type: "subscription_details", subscription_details: { subscription, metadata: {} } }, metadata: {},
      payments: { object: "list", data: [{ id: id("inpay"), object: "invoice_payment", payment: { type: "payment_intent", payment_intent: charged(session).payment_intent } }] },
      status_transitions: { paid_at: now() },
    };
    await deliver("invoice.paid", invoice);
    return invoice;
  }

  const routes = [
    ["POST", /^\/v1\/customers$/, async (form) => {
      const customer = { id: id("cus"), object: "customer", created: now(), livemode: live, email: form.email ?? null, name: form.name ?? null, metadata: form.metadata ?? {} };
      customers.set(customer.id, customer);
      await deliver("customer.created", customer);
      return customer;
    }],
    ["POST", /^\/v1\/checkout\/sessions$/, (form) => {
      const lines = Object.values(form.line_items ?? {});
      const session = {
        id: id("cs"), object: "checkout.session", created: now(), livemode: live, mode: form.mode, status: "open",
        payment_status: "unpaid", currency: lines[0]?.price_data?.currency,
        amount_total: lines.reduce((sum, { quantity, price_data }) => sum + Number(quantity) * Number(price_data.unit_amount), 0),
        customer: form.customer ?? null, customer_details: { email: form.customer_email ?? customers.get(form.customer)?.email ?? null },
        client_reference_id: form.client_reference_id ?? null, metadata: form.metadata ?? {}, success_url: form.success_url,
        payment_intent: null, subscription: null, invoice: null,
      };
      session.url = `${url}/pay/${session.id}`;
      sessions.set(session.id, session);
      return session;
    }],
    ["GET", /^\/v1\/checkout\/sessions\/(\w+)$/, (_, name) => sessions.get(name)],
    ["POST", /^\/v1\/refunds$/, async (form) => {
      const charge = payments.get(form.payment_intent);
      if (!charge) return undefined;
      charge.amount_refunded += form.amount ? Number(form.amount) : charge.amount - charge.amount_refunded;
      charge.refunded = charge.amount_refunded === charge.amount;
      await deliver("charge.refunded", charge);
      return { id: id("re"), object: "refund", amount: charge.amount_refunded, currency: charge.currency, payment_intent: form.payment_intent, status: "succeeded" };
    }],
    // The payment page.
    ["GET", /^\/pay\/(\w+)$/, (_, name) => sessions.has(name) && { html: payPage(sessions.get(name)) }],
    ["POST", /^\/pay\/(\w+)$/, async (_, name) => {
      const session = sessions.get(name);
      if (!session) return undefined;
      if (session.status === "open") {
        session.status = "complete";
        session.payment_status = "paid";
        if (session.mode === "subscription") {
          session.subscription = id("sub");
          session.invoice = (await invoiced(session, "subscription_create")).id;
        } else {
          session.payment_intent = charged(session).payment_intent;
        }
        await deliver("checkout.session.completed", session);
      }
      return { to: session.success_url };
    }],
    // A month goes by.
    ["POST", /^\/pay\/(\w+)\/renew$/, async (_, name) => {
      const session = sessions.get(name);
      if (!session?.subscription) return undefined;
      await invoiced(session, "subscription_cycle");
      return { renewed: session.subscription };
    }],
  ];

  return async function answer(request, response) {
    const path = request.url.split("?")[0];
    try {
      const form = nested(new URLSearchParams(await text(request)));
      const [, pattern, work] = routes.find(([method, at]) => method === request.method && at.test(path)) ?? [];
      const result = work && (await work(form, path.match(pattern)[1]));
      if (!result) {
        const error = { type: "invalid_request_error", message: `The stand-in does not know ${request.method} ${path}.` };
        return void response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ error }));
      }
      if (result.to) return void response.writeHead(303, { location: result.to }).end();
      if (result.html) return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(result.html);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
    } catch (error) {
      console.error(error);
      response.writeHead(500).end();
    }
  };
}

function payPage({ id, amount_total: amount, currency }) {
  return `<!doctype html>
<html lang="en">
<title>Stand-in for Stripe</title>
<h1>Stand-in for Stripe</h1>
<form method="post" action="/pay/${id}"><button>Pay ${(amount / 100).toFixed(2)} ${currency.toUpperCase()}</button></form>
</html>`;
}

async function text(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

/** `a[b][0]=c` as { a: { b: { 0: "c" } } }: how the package writes its parameters. */
function nested(form) {
  const whole = {};
  for (const [name, value] of form) {
    const keys = name.split(/[[\]]+/).filter(Boolean);
    const last = keys.pop();
    keys.reduce((at, key) => (at[key] ??= {}), whole)[last] = value;
  }
  return whole;
}
