// The browser script in a real browser. Each case is told by name to the Rust test that starts this.

import assert from "node:assert/strict";
import { buildSync } from "esbuild";
import { API, api, checkout, clicks, domain, link, requests, run, site, sleep, until, withScript } from "./world.mjs";

const SHOP = "www.shop.co.uk";
const shop = (path = "/") => `http://${SHOP}${path}`;
const file = (name) => `http://${API}/analytics/${name}`;
const refer = (extra = {}) => `data-domains='${JSON.stringify({ refer: domain, ...extra })}'`;
const DAY = 86_400;

async function cookie(context, name = "pimms_id", url) {
  return (await context.cookies(url)).find((cookie) => cookie.name == name);
}
const cookieSet = (context, name) => until(`cookie ${name || ""}`, () => cookie(context, name));
const calls = (path) => requests.filter((call) => call.path.endsWith(path));
const isLoaded = (page) => until("the script", () => page.evaluate(() => !!window._pimmsAnalytics));

/** Opens a page of the shop and waits for the script. */
async function open(context, path = "/") {
  const page = await context.newPage();
  await page.goto(shop(path));
  await isLoaded(page);
  return page;
}

/** Comes through a short link: the click id. */
async function land(context, made) {
  const page = await context.newPage();
  await page.goto(`http://${domain}/${made.key}`);
  await isLoaded(page);
  return { page, id: new URL(page.url()).searchParams.get("pimms_id") };
}

/** Refuses cookies and storage, as a browser that blocks both does. */
async function block(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setDocumentCookieDisabled", { disabled: true });
}

const hrefs = (page) => page.evaluate(() => [...document.querySelectorAll("a")].map((link) => link.getAttribute("href")));

await run({
  async "landing with ?pimms_id= keeps the click on the registrable domain"(context) {
    site(SHOP, withScript(""));
    const { id } = await land(context, await link(shop("/?a=1")));
    assert.match(id, /^\w{44}$/);
    const kept = await cookieSet(context);
    assert.equal(kept.value, id);
    assert.equal(kept.domain, ".shop.co.uk");
    assert.equal((await cookie(context, "pimms_id", "http://app.shop.co.uk/")).value, id);
    assert.equal(await cookie(context, "pimms_id", "http://other.co.uk/"), undefined);
    assert.equal(calls("/track/click").length, 0);
    // The id is worth a lead.
    const lead = await api("POST", "/track/lead", { clickId: kept.value, externalId: "landed", eventName: "Sign up" });
    assert.equal(lead.link.domain, domain);
  },

  async "cookie attributes: 90 days, Lax, Path=/, Secure on https only"(context) {
    site(SHOP, withScript(""));
    await open(context, "/?pimms_id=0123456789abcdef");
    const kept = await cookieSet(context);
    const days = (kept.expires - Date.now() / 1000) / DAY;
    assert.ok(days > 89.9 && days < 90.1, `${days} days`);
    assert.deepEqual([kept.path, kept.sameSite, kept.secure, kept.httpOnly], ["/", "Lax", false, false]);
    const secure = "https://www.safe.example/";
    await context.route(`${secure}**`, (route) => route.fulfill({ contentType: "text/html", body: withScript("", "", "/s.js") }));
    const script = await (await fetch(JSON.parse(process.env.PIMMS_WORLD).url + "/analytics/script.js")).text();
    await context.route(`${secure}s.js`, (route) => route.fulfill({ contentType: "text/javascript", body: script }));
    const page = await context.newPage();
    await page.goto(secure + "?pimms_id=0123456789abcdef");
    const safe = await until("a secure cookie", async () => (await context.cookies(secure))[0]);
    assert.deepEqual([safe.domain, safe.secure], [".safe.example", true]);
  },

  async "cookie options: domain, days, seconds"(context) {
    for (const [options, domain, days] of [
      [{ expiresInDays: 10 }, ".shop.co.uk", 10],
      [{ maxAge: 3600 }, ".shop.co.uk", 1 / 24],
      [{ domain: ".www.shop.co.uk" }, ".www.shop.co.uk", 90],
      [{ sameSite: "strict", path: "/x" }, ".shop.co.uk", 90],
    ]) {
      await context.clearCookies();
      site(SHOP, withScript(`data-cookie-options='${JSON.stringify(options)}'`));
      await open(context, "/x/?pimms_id=0123456789abcdef");
      const kept = await cookieSet(context);
      assert.equal(kept.domain, domain);
      assert.ok(Math.abs((kept.expires - Date.now() / 1000) / DAY - days) < 0.01);
      assert.equal(kept.path, options.path || "/");
      assert.equal(kept.sameSite, options.sameSite ? "Strict" : "Lax");
    }
  },

  async "hosts of every depth: the widest domain that takes a cookie, and the one below is replaced"(context) {
    for (const [host, domain] of [
      ["shop.example", ".shop.example"],
      ["a.b.c.shop.co.uk", ".shop.co.uk"],
      ["someone.github.io", ".someone.github.io"],
      ["localhost", "localhost"],
    ]) {
      await context.clearCookies();
      site(host, withScript(""));
      const page = await context.newPage();
      await page.goto(`http://${host}/?pimms_id=0123456789abcdef`);
      assert.equal((await cookieSet(context)).domain.replace(/^\.?/, domain[0] == "." ? "." : ""), domain);
    }
    // What was kept for the host and those below it would hide the newer click.
    await context.clearCookies();
    await context.addCookies([{ name: "pimms_id", value: "older-and-narrow", domain: ".www.shop.co.uk", path: "/" }]);
    site(SHOP, withScript(""));
    const page = await open(context, "/?pimms_id=the-newest-click");
    await until("one cookie", async () => (await context.cookies(shop())).filter(({ name }) => name == "pimms_id").length == 1);
    assert.equal(await page.evaluate(() => window._pimmsAnalytics.c.get("pimms_id")), "the-newest-click");
  },

  async "last-click: the newest click counts"(context) {
    site(SHOP, withScript(""));
    const first = await land(context, await link(shop()));
    const second = await land(context, await link(shop()));
    assert.notEqual(first.id, second.id);
    assert.equal((await cookieSet(context)).value, second.id);
  },

  async "first-click: the first click stays"(context) {
    site(SHOP, withScript(`data-attribution-model="first-click" ${refer()}`));
    const first = await land(context, await link(shop()));
    await land(context, await link(shop()));
    const partner = await link(shop());
    await open(context, `/?via=${partner.key}`);
    assert.equal(await clicks(partner, 1), 1);
    assert.equal((await cookieSet(context)).value, first.id);
  },

  async "?via= reports the click once, keeps its id, and names the visitor"(context) {
    site(SHOP, withScript(refer()));
    const partner = await link("http://shop.example/");
    const page = await open(context, `/?via=${partner.key.toUpperCase()}&utm_source=tw`);
    const kept = await cookieSet(context);
    const [call] = calls("/track/click");
    const said = JSON.parse(call.body);
    assert.deepEqual([said.domain, said.key, said.url], [domain, partner.key.toUpperCase(), page.url()]);
    assert.equal(said.anonymousId, (await cookieSet(context, "pimms_anonymous_id")).value);
    assert.equal(call.status, 200);
    assert.equal(requests.filter((call) => call.method == "OPTIONS").length, 0, "no preflight");
    assert.equal(await clicks(partner, 1), 1);
    await page.reload();
    await isLoaded(page);
    await until("a second report", () => calls("/track/click").length == 2);
    await sleep(1500);
    assert.equal((await cookieSet(context)).value, kept.value, "the same click");
    assert.equal(await clicks(partner, 1), 1);
    const lead = await api("POST", "/track/lead", { clickId: kept.value, externalId: "via", eventName: "Sign up" });
    assert.equal(lead.link.id, partner.id);
  },

  async "another parameter, the old attribute, a host of the API"(context) {
    site(SHOP, withScript(`data-short-domain="${domain}" data-query-param="ref" data-api-host="http://${API}/api"`));
    const partner = await link(shop());
    const page = await open(context, `/?ref=${partner.key}`);
    await cookieSet(context);
    const { d, p, v, a, i, h, m } = await page.evaluate(() => window._pimmsAnalytics);
    assert.deepEqual([d, p, v, a, i, h, m], [domain, "ref", partner.key, `http://${API}/api`, "pimms_id", SHOP, undefined]);
    assert.equal(calls("/api/track/click").length, 1);
  },

  async "an unknown partner, broken settings, an API that is down: no cookie and no error"(context, noise) {
    site(SHOP, withScript(refer()));
    await open(context, "/?via=nobody");
    await until("the answer", () => calls("/track/click")[0]?.status == 404);
    site(SHOP, withScript(`data-domains='{"refer' data-cookie-options="null"`));
    await open(context, "/?via=x");
    site(SHOP, withScript(`${refer()} data-api-host="http://down.example"`));
    await open(context, "/?via=x");
    await sleep(300);
    assert.deepEqual(await context.cookies(shop()).then((all) => all.filter(({ name }) => name == "pimms_id")), []);
    // The browser itself tells failed requests.
    assert.ok(noise.splice(0).every((text) => /^Failed to load resource|blocked by CORS policy/.test(text)));
  },

  async "script in an id is not kept"(context) {
    site(SHOP, withScript(""));
    for (const bad of ["%3Cscript%3E", "x;domain=evil", "a%20b%20c%20d%20e", "short", "%0d%0aset-cookie"]) {
      await open(context, `/?pimms_id=${bad}`);
      assert.equal(await cookie(context), undefined, bad);
    }
  },

  async "site-visit: a visit that nothing brought is reported once"(context, noise) {
    const page = (extra) => withScript(refer({ site: domain, ...extra }), "", file("script.site-visit.js"));
    site(SHOP, page());
    const made = await link(shop());
    await open(context, `/${made.key}`);
    const kept = await cookieSet(context);
    await open(context, `/${made.key}`);
    await sleep(300);
    assert.equal(calls("/track/visit").length, 1);
    assert.equal(await clicks(made, 1), 1);
    const events = await until("the event", async () => {
      const events = await api("GET", `/events?event=clicks&interval=all&linkId=${made.id}`);
      return events.length && events;
    });
    assert.equal(events[0].click.id, kept.value);
    await context.clearCookies();
    await open(context, `/${made.key}?via=nobody`);
    await until("the answer", () => calls("/track/click")[0]?.status == 404);
    assert.equal(calls("/track/visit").length, 1, "a partner's visit is no visit");
    assert.ok(noise.splice(0).every((text) => text.startsWith("Failed to load resource")), "told by the browser itself");
  },

  async "outbound: the id goes to the listed hosts and to no other"(context, noise) {
    const links = [
      "https://app.other.io/signup?plan=a#top", "https://www.app.other.io/", "https://deep.wild.io/x", "https://wild.io/",
      "https://evil.com/?x=app.other.io", "https://app.other.io.evil.com/", "https://evilapp.other.io/",
      "mailto:a@app.other.io", "#top", "/inside", "https://app.other.io/?pimms_id=somebody-elses",
    ];
    const body = links.map((href) => `<a href="${href}">x</a>`).join("");
    for (const outbound of ["app.other.io, *.wild.io, www.shop.co.uk", ["app.other.io", "*.wild.io", SHOP]]) {
      site(SHOP, withScript(refer({ outbound }), body, file("script.outbound-domains.js")));
      const page = await open(context, "/?pimms_id=0123456789abcdef");
      await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id"));
      const id = "pimms_id=0123456789abcdef";
      assert.deepEqual(await hrefs(page), [
        `https://app.other.io/signup?plan=a&${id}#top`, `https://www.app.other.io/?${id}`, `https://deep.wild.io/x?${id}`,
        ...links.slice(3, 10), `https://app.other.io/?${id}`,
      ]);
      // A newer click replaces the older one.
      await page.evaluate(() => window._pimmsAnalytics.c.set("pimms_id", "a-newer-click-id"));
      await until("renewal", async () => (await hrefs(page))[0].includes("a-newer-click-id"));
      await context.clearCookies();
    }
    site(SHOP, withScript(refer({ outbound: SHOP }), body, file("script.outbound-domains.js")));
    assert.deepEqual(await hrefs(await open(context, "/?pimms_id=0123456789abcdef")), links);
    assert.deepEqual(noise, []);
  },

  async "SPA: links of later views are decorated, also right before a click"(context) {
    site(SHOP, withScript(refer({ outbound: "other.example" }), "<main></main>", file("script.outbound-domains.js")));
    site("other.example", "<title>Other</title>");
    const page = await open(context, "/?pimms_id=0123456789abcdef");
    await page.evaluate(() => {
      history.pushState({}, "", "/second");
      document.querySelector("main").innerHTML = '<a href="http://other.example/later">x</a>';
    });
    await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id=0123456789abcdef"));
    await page.evaluate(() => {
      history.replaceState({}, "", "/third");
      document.querySelector("main").innerHTML = '<a href="http://other.example/now">x</a>';
      document.querySelector("a").click();
    });
    await page.waitForURL("http://other.example/now?pimms_id=0123456789abcdef");
  },

  async "own links carry the id only when asked to"(context) {
    const body = '<a href="/inside">x</a><a href="#top">x</a>';
    site(SHOP, withScript(`data-forward-all="true"`, body, file("script.outbound-domains.js")));
    const page = await open(context, "/?pimms_id=0123456789abcdef");
    await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id"));
    assert.deepEqual(await hrefs(page), [shop("/inside?pimms_id=0123456789abcdef"), "#top"]);
  },

  async "payment and booking links get the id where they keep it"(context) {
    const id = "0123456789abcdef";
    const cases = [
      ["https://buy.stripe.com/test_1", `https://buy.stripe.com/test_1?client_reference_id=pimms_id_${id}`],
      ["https://buy.stripe.com/2?client_reference_id=order-7", "https://buy.stripe.com/2?client_reference_id=order-7"],
      ["https://pay.example/?pimms_client_reference_id=1&a=b", `https://pay.example/?a=b&client_reference_id=pimms_id_${id}`],
      ["https://x.example/?pimms_id=1", `https://x.example/?pimms_id=${id}`],
      ["https://x.example/?utm_term=1", `https://x.example/?utm_term=${id}`],
      ["https://x.example/?pimms_id=12", "https://x.example/?pimms_id=12"],
      ["https://x.example/?my_utm_term=1", "https://x.example/?my_utm_term=1"],
      ["https://cal.com/team/demo", `https://cal.com/team/demo?pimms_id=${id}`],
      ["https://app.iclosed.io/e/x", `https://app.iclosed.io/e/x?utm_term=${id}`],
      ["https://evilcal.com/", "https://evilcal.com/"],
      ["https://evil.example/?u=https://buy.stripe.com/1", "https://evil.example/?u=https://buy.stripe.com/1"],
    ];
    const body = cases.map(([href]) => `<a href="${href}">x</a>`).join("") + "<stripe-buy-button></stripe-buy-button>"
      + `<button data-cal-link="team/demo?pimms_id=1">x</button><div data-tally-src="https://tally.so/e/x?pimms_id=12"></div>`
      + `<iframe srcdoc="<a href='https://x.example/?a=1&amp;pimms_id=1'>x</a>"></iframe>`;
    site(SHOP, withScript("", body, file("script.detection.js")));
    const page = await open(context, `/?pimms_id=${id}`);
    await until("decoration", async () => (await hrefs(page))[0].includes("client_reference_id"));
    assert.deepEqual(await hrefs(page), cases.map(([, after]) => after));
    const [button, cal, tally, frame] = await page.evaluate(() => [
      document.querySelector("stripe-buy-button").getAttribute("client-reference-id"),
      document.querySelector("[data-cal-link]").dataset.calLink,
      document.querySelector("[data-tally-src]").dataset.tallySrc,
      document.querySelector("iframe").srcdoc,
    ]);
    assert.deepEqual([button, cal, tally], [`pimms_id_${id}`, `team/demo?pimms_id=${id}`, "https://tally.so/e/x?pimms_id=12"]);
    assert.ok(frame.includes(`pimms_id=${id}'`), frame);
    await sleep(800);
    assert.deepEqual(await hrefs(page), cases.map(([, after]) => after), "once is enough");
    await page.evaluate(() => window._pimmsAnalytics.c.set("pimms_id", "1-newer-click-id"));
    await until("renewal", async () => (await hrefs(page))[3].endsWith("pimms_id=1-newer-click-id"));
    assert.ok((await hrefs(page))[0].endsWith("pimms_id_1-newer-click-id"));
  },

  async "forms get the id, those of later views too"(context) {
    const body = `<form action="/a"><input name=email></form><form action="/b"><input name=pimms_id value=own></form>`;
    site(SHOP, withScript("", body) + withScript("", "", file("script.inject-form.js")));
    const page = await open(context, "/?pimms_id=0123456789abcdef");
    const values = () => page.evaluate(() => [...document.forms].map((form) => new FormData(form).getAll("pimms_id").join()));
    await until("injection", async () => (await values())[0]);
    assert.deepEqual(await values(), ["0123456789abcdef", "own"]);
    await page.evaluate(() => document.body.insertAdjacentHTML("beforeend", '<form id=late action="/late"></form>'));
    await page.evaluate(() => document.querySelector("#late").requestSubmit());
    await page.waitForURL(shop("/late?pimms_id=0123456789abcdef"));
  },

  async "window.pimms_id shows the id, or null"(context) {
    site(SHOP, withScript("", "", file("script.expose.js")));
    const page = await context.newPage();
    await page.goto(shop("/?pimms_id=0123456789abcdef"));
    await until("the id", () => page.evaluate(() => window.pimms_id == "0123456789abcdef"));
    await page.goto(shop());
    await until("nothing", () => page.evaluate(() => window.pimms_id === null));
    await context.addCookies([{ name: "pimms_id", value: "from-the-cookie", domain: ".shop.co.uk", path: "/" }]);
    await until("the cookie", () => page.evaluate(() => window.pimms_id == "from-the-cookie"));
  },

  async "consent required: nothing is stored or sent before, all of it after"(context) {
    site(SHOP, withScript(`data-consent="required" ${refer({ outbound: "other.example" })}`,
      '<a href="https://other.example/">x</a>', file("script.outbound-domains.js")));
    const partner = await link(shop());
    const page = await open(context, `/?via=${partner.key}`);
    await sleep(700);
    assert.deepEqual([await context.cookies(), calls("/track/click").length], [[], 0]);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.evaluate(() => window.pimms.consent(true));
    await cookieSet(context);
    await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id"));
    // Taken back: nothing is left.
    await page.evaluate(() => window.pimms.consent(false));
    await until("no cookie", async () => !(await cookie(context)) && !(await cookie(context, "pimms_anonymous_id")));
    assert.equal(await page.evaluate(() => window._pimmsAnalytics.c.get("pimms_id")), undefined);
  },

  async "consent refused: counted without an id"(context) {
    site(SHOP, withScript(`data-consent="required" ${refer()}`));
    const partner = await link(shop());
    const page = await open(context, `/?via=${partner.key}`);
    await page.evaluate(() => window.pimms.consent(false));
    assert.equal(await clicks(partner, 1), 1);
    const said = JSON.parse(calls("/track/click")[0].body);
    assert.deepEqual([said.anonymous, said.anonymousId, said.clickId], [true, undefined, undefined]);
    assert.deepEqual([await context.cookies(), await page.evaluate(() => sessionStorage.pimms_id || "")], [[], ""]);
  },

  async "a page that is loaded ahead is nobody's visit before it is looked at"(context) {
    site(SHOP, withScript(refer()));
    const partner = await link(shop());
    await context.addInitScript(() => Object.defineProperty(document, "prerendering", { value: true, configurable: true }));
    const page = await open(context, `/?via=${partner.key}`);
    await page.evaluate(() => window.pimms.consent(true));
    await sleep(700);
    assert.deepEqual([await context.cookies(), calls("/track/click").length], [[], 0]);
    await page.evaluate(() => {
      Object.defineProperty(document, "prerendering", { value: false });
      document.dispatchEvent(new Event("prerenderingchange"));
    });
    await cookieSet(context);
    assert.equal(await clicks(partner, 1), 1);
    assert.equal(calls("/track/click").length, 1);
  },

  async "consent given before the script has loaded"(context) {
    const page = withScript(`data-consent="required"`, "<script>window.pimms = { consent: true }</script>");
    site(SHOP, page);
    await open(context, "/?pimms_id=0123456789abcdef");
    assert.equal((await cookieSet(context)).value, "0123456789abcdef");
  },

  async "Global Privacy Control: counted, no id, unless the merchant decides otherwise"(context) {
    await context.setExtraHTTPHeaders({ "sec-gpc": "1" });
    await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true }));
    site(SHOP, withScript(refer({ outbound: "other.example" }), '<a href="https://other.example/">x</a>', file("script.detection.js"))
      + withScript("", "<form></form>", file("script.inject-form.js")));
    const partner = await link(shop());
    const page = await open(context, `/?via=${partner.key}`);
    assert.equal(await clicks(partner, 1), 1);
    await page.evaluate(() => window.pimms.consent(true));
    await page.goto(shop("/?pimms_id=0123456789abcdef"));
    await sleep(700);
    assert.deepEqual([await context.cookies(), await hrefs(page)], [[], ["https://other.example/"]]);
    assert.equal(await page.evaluate(() => document.querySelectorAll("form input").length + (sessionStorage.pimms_id ? 1 : 0)), 0);
    site(SHOP, withScript(`data-gpc="ignore" ${refer()}`));
    await open(context, `/?via=${(await link(shop())).key}`);
    assert.match((await cookieSet(context)).value, /^\w{44}$/);
  },

  async "cookies blocked: the tab keeps the id, else the page, and links carry it"(context) {
    site(SHOP, withScript(refer({ outbound: "other.example" }), '<a href="https://other.example/">x</a><a href="/in">x</a>',
      file("script.outbound-domains.js")));
    const page = await context.newPage();
    await block(context, page);
    await page.goto(shop("/?pimms_id=0123456789abcdef"));
    await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id=0123456789abcdef"));
    assert.deepEqual(await context.cookies(), []);
    await page.goto(shop("/next"));
    await until("decoration", async () => (await hrefs(page))[0].includes("pimms_id=0123456789abcdef"));
    // And where storage is closed as well:
    await page.addInitScript(() => {
      Object.defineProperty(window, "sessionStorage", { get: () => { throw new DOMException("denied", "SecurityError"); } });
      Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false });
    });
    await page.goto(shop("/?pimms_id=another-click-id"));
    await until("decoration", async () => (await hrefs(page))[1].includes("/in?pimms_id=another-click-id"));
    const partner = await link(shop());
    await page.goto(shop(`/?via=${partner.key}`));
    await until("decoration", async () => /pimms_id=\w{44}/.test((await hrefs(page))[0]));
    assert.equal(await clicks(partner, 1), 1);
  },

  async "through the merchant's own site the edge sets the cookie"(context) {
    site(SHOP, withScript(refer(), "", "/_pimms/script.js"));
    const partner = await link(shop());
    const page = await context.newPage();
    // So that it can only be the edge's.
    await block(context, page);
    await page.goto(shop(`/?via=${partner.key}`));
    const kept = await cookieSet(context);
    const [call] = calls("/_pimms/track/click");
    assert.equal(call.host, SHOP);
    assert.ok(call.answer["set-cookie"][0].includes("Domain=shop.co.uk"), String(call.answer["set-cookie"]));
    assert.deepEqual([kept.domain, kept.sameSite, kept.httpOnly], [".shop.co.uk", "Lax", false]);
    await page.goto(shop("/?pimms_id=a-landing-click-id"));
    await until("the landing's cookie", async () => (await cookie(context)).value == "a-landing-click-id");
    assert.ok(requests.every(({ host }) => host == SHOP), "nothing goes anywhere else");
  },

  async "through the merchant's own site first-click stays"(context) {
    site(SHOP, withScript(`data-attribution-model="first-click" ${refer()}`, "", "/_pimms/script.js"));
    const partner = await link(shop());
    await open(context, "/?pimms_id=the-first-click-id");
    await until("the call", () => calls("/track/keep")[0]?.status == 200);
    await open(context, "/?pimms_id=a-later-click-id");
    await open(context, `/?via=${partner.key}`);
    await until("the call", () => calls("/track/click")[0]?.status == 200);
    await sleep(300);
    assert.equal((await cookie(context)).value, "the-first-click-id");
  },

  async "a page reports leads and sales with a publishable key"(context) {
    const { token } = await api("POST", "/tokens", { name: "page", publishable: true });
    site(SHOP, withScript(refer()));
    const partner = await link(shop());
    const page = await open(context, `/?via=${partner.key}`);
    const { value } = await cookieSet(context);
    const answers = await page.evaluate(async ([host, token, clickId]) => {
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
      const call = async (path, body) => (await fetch(`${host}/api/track/${path}/client`, { method: "POST", headers, body: JSON.stringify(body) })).json();
      return [
        await call("lead", { clickId, eventName: "Sign up", customerExternalId: "in-page" }),
        await call("sale", { customerExternalId: "in-page", amount: 700 }),
      ];
    }, [`http://${API}`, token, value]);
    assert.deepEqual([answers[0].link.id, answers[1].sale.amount], [partner.id, 700]);
  },

  async "the npm package @getpimms/analytics, as it is"(context) {
    const entry = `import { inject } from "@getpimms/analytics"; inject(${JSON.stringify({
      apiHost: `http://${API}/api`,
      domainsConfig: { refer: domain, site: domain, outbound: ["other.example"] },
      attributionModel: "last-click",
      cookieOptions: { expiresInDays: 30 },
      queryParam: "ref",
      scriptProps: { src: file("script.site-visit.outbound-domains.js") },
    })});`;
    const bundle = buildSync({
      stdin: { contents: entry, resolveDir: checkout(".") }, bundle: true, write: false, format: "iife", platform: "browser",
    });
    const code = bundle.outputFiles[0].text.replaceAll("</script", "<\\/script");
    site(SHOP, `<!doctype html><a href="https://other.example/">x</a><script>${code}</script>`);
    const partner = await link(shop());
    const page = await open(context, `/?ref=${partner.key}`);
    const kept = await cookieSet(context);
    assert.ok(Math.abs((kept.expires - Date.now() / 1000) / DAY - 30) < 0.01);
    await until("decoration", async () => (await hrefs(page))[0].includes(kept.value));
    assert.equal(await clicks(partner, 1), 1);
    const { p, d, a, m } = await page.evaluate(() => window._pimmsAnalytics);
    assert.deepEqual([p, d, a, m], ["ref", domain, `http://${API}/api`, "last-click"]);
    await context.clearCookies();
    const visited = await link(shop());
    await open(context, `/${visited.key}`);
    await cookieSet(context);
    assert.equal(await clicks(visited, 1), 1);
  },
});
