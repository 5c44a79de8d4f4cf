// The shop. Four places have to do with pimms-edge, each marked with a number.

/**
 * Answers the shop's requests.
 *
 * stripe: the `stripe` package's client. pimms: { api, key, script }, the address of the API, a key of the workspace
 * and the address of the browser script. url: where the shop is.
 */
export function shop({ stripe, pimms, url }) {
  // A real shop has a database.
  const users = new Map();

  const page = (body) => `<!doctype html>
<html lang="en">
<title>Example shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<!-- 1. The script keeps the click that a visitor came with in the cookie pimms_id. -->
<script defer src="${pimms.script}"></script>
<h1>Example shop</h1>
${body}
</html>`;

  /** Reports the visitor who signs up: from then on `externalId` is all that is needed. */
  async function reportLead(user, clickId) {
    const answer = await fetch(`${pimms.api}/track/lead`, {
      method: "POST",
      headers: { authorization: `Bearer ${pimms.key}`, "content-type": "application/json" },
      body: JSON.stringify({
        clickId,
        eventName: "Sign up",
        externalId: user.id,
        customerName: user.name,
        customerEmail: user.email,
      }),
    });
    // Nobody is kept from signing up because a report did not arrive.
    if (!answer.ok) console.error(`the lead was not taken: ${answer.status} ${await answer.text()}`);
  }

  const routes = {
    "GET /": () => ({
      html: `<form method="post" action="/sign-up">
<label>Name <input name="name" required></label>
<label>E-mail <input name="email" type="email" required></label>
<button>Sign up</button>
</form>`,
    }),

    async "POST /sign-up"({ form, cookies }) {
      const user = { id: `user_${users.size + 1}_${Date.now()}`, name: form.get("name"), email: form.get("email") };
      users.set(user.id, user);
      // 2. The cookie is there when the visitor came by a short link.
      if (cookies.pimms_id) await reportLead(user, cookies.pimms_id);
      return { to: "/products", cookie: `user=${user.id}; Path=/; HttpOnly; SameSite=Lax` };
    },

    "GET /products": () => ({
      html: `<form method="post" action="/buy"><button>Buy the book, 49.00 USD</button></form>
<form method="post" action="/subscribe"><button>Subscribe, 9.00 EUR a month</button></form>`,
    }),

    // 3. Stripe Checkout: one id of the shop's own in the session's metadata.
    async "POST /buy"({ user }) {
      const session = await stripe.checkout.sessions.create({
        mode: "payment",
        line_items: [
          { quantity: 1, price_data: { currency: "usd", unit_amount: 4900, product_data: { name: "The book" } } },
        ],
        customer_email: user.email,
        metadata: { pimmsCustomerId: user.id },
        success_url: `${url}/thanks`,
      });
      return { to: session.url };
    },

    // 4. Stripe Customers: the ids are kept with the customer, and every invoice to come is found by them.
    async "POST /subscribe"({ user, cookies }) {
      const metadata = { pimmsCustomerId: user.id };
      if (cookies.pimms_id) metadata.pimmsClickId = cookies.pimms_id;
      const customer = await stripe.customers.create({ email: user.email, name: user.name, metadata });
      const session = await stripe.checkout.sessions.create({
        mode: "subscription",
        customer: customer.id,
        line_items: [
          {
            quantity: 1,
            price_data: {
              currency: "eur",
              unit_amount: 900,
              recurring: { interval: "month" },
              product_data: { name: "The magazine" },
            },
          },
        ],
        success_url: `${url}/thanks`,
      });
      return { to: session.url };
    },

    "GET /thanks": () => ({ html: "<p>Thank you!</p>" }),
  };

  return async function answer(request, response) {
    try {
      const { pathname } = new URL(request.url, url);
      const route = routes[`${request.method} ${pathname}`];
      const cookies = readCookies(request.headers.cookie ?? "");
      const user = users.get(cookies.user);
      if (!route) return void response.writeHead(404).end("There is no such page.");
      if ((pathname === "/buy" || pathname === "/subscribe") && !user) {
        return void response.writeHead(303, { location: "/" }).end();
      }
      const { html, to, cookie } = await route({ form: await readForm(request), cookies, user });
      const headers = cookie ? { "set-cookie": cookie } : {};
      if (to) return void response.writeHead(303, { ...headers, location: to }).end();
      response.writeHead(200, { ...headers, "content-type": "text/html; charset=utf-8" }).end(page(html));
    } catch (error) {
      console.error(error);
      response.writeHead(500).end("Something went wrong.");
    }
  };
}

async function readForm(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

function readCookies(header) {
  const pairs = header.split("; ").map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([name, value = ""]) => [name, decodeURIComponent(value)]));
}
