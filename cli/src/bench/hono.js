// A minimal redirect in Hono: a route, a look-up in memory, a 302. It makes no click.

import { Hono } from "hono";

const links = new Map();
for (let n = 0; n < 5000; n++) links.set(`k${n}`, `https://shop.example/item/${n}`);

const app = new Hono();
app.get("/:key", (c) => {
  const url = links.get(c.req.param("key"));
  return url === undefined ? c.notFound() : c.redirect(url, 302);
});

export default app;
