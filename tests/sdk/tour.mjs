// The `dub` and `pimms` SDKs, unmodified, against an instance of ours: every method must be answered in a form
// that their own types accept. Arguments: base URL of the API, API key, short-link domain.
import assert from "node:assert/strict";
import { Dub } from "dub";
import { Conflict, Forbidden, NotFound, Unauthorized, UnprocessableEntity } from "dub/models/errors";
import { QueryParamGroupBy } from "dub/models/operations";
import { Pimms } from "pimms";

const [serverURL, token, domain] = process.argv.slice(2);
const dub = new Dub({ token, serverURL });
const pimms = new Pimms({ token, serverURL });
const run = Date.now().toString(36);
let steps = 0;

async function step(name, work) {
  try {
    const value = await work();
    steps += 1;
    return value;
  } catch (error) {
    console.error(`${name}: ${error?.message ?? error}`);
    if (error?.cause) console.error(String(error.cause));
    process.exitCode = 1;
    return undefined;
  }
}

/** A call whose answer the package has no type for: rows are what the service itself would give, each with `column`. */
async function untyped(name, work, column) {
  await step(name, async () => {
    const rows = await work().catch((error) => {
      if (error.name !== "ResponseValidationError") throw error;
      return error.rawValue;
    });
    assert.ok(rows.every((row) => column in row), JSON.stringify(rows));
  });
}

/** The rows of the first page, whichever form the package gives them in. */
async function pages(found) {
  return found.result ?? found;
}

const tag = await step("tags.create", () => dub.tags.create({ name: `tour ${run}`, color: "red" }));
await step("tags.list", async () => assert.ok((await dub.tags.list({})).length > 0));
await step("tags.update", () => dub.tags.update(tag.id, { name: `tour ${run}!`, color: "blue" }));
const folder = await step("folders.create", () => dub.folders.create({ name: `tour ${run}`, accessLevel: "write" }));
await step("folders.list", () => dub.folders.list({}));
await step("folders.update", () => dub.folders.update(folder.id, { name: `tour ${run} 2` }));

const link = await step("links.create", () =>
  dub.links.create({ url: `https://shop.example/${run}`, key: `tour-${run}`, domain, externalId: `tour-${run}`,
    trackConversion: true, tagIds: [tag.id], utmSource: "news", expiresAt: "2040-01-01T00:00:00.000Z",
    geo: { FR: "https://shop.example/fr" } }));
assert.equal(link?.utmSource, "news");
await step("links.get", async () => assert.equal((await dub.links.get({ linkId: link.id })).id, link.id));
await step("links.get by external id", () => dub.links.get({ externalId: `ext_tour-${run}` }));
await step("links.list", async () => assert.ok((await dub.links.list({ search: run })).result.length > 0));
await untyped("links.count by domain", () => dub.links.count({ groupBy: "domain", search: run }), "_count");
await step("links.count", async () => assert.equal(await dub.links.count({ search: run }), 1));
await step("links.update", () => dub.links.update(link.id, { title: "Tour", utmMedium: "mail" }));
const same = { url: `https://shop.example/upsert-${run}`, utmSource: "again" };
await step("links.upsert", async () =>
  assert.equal((await dub.links.upsert(same)).id, (await dub.links.upsert(same)).id));
const many = await step("links.createMany", () =>
  dub.links.createMany([1, 2].map((n) => ({ url: `https://shop.example/many-${run}-${n}` }))));
await step("links.updateMany", () => dub.links.updateMany({ linkIds: many.map((one) => one.id), data: { archived: true } }));
await step("links.deleteMany", async () =>
  assert.equal((await dub.links.deleteMany({ linkIds: many.map((one) => one.id) })).deletedCount, 2));
await step("links.get unknown", () => assert.rejects(() => dub.links.get({ linkId: "link_0" }), /not found/i));

// Every refusal is one of the package's own error types, with our words.
const stranger = new Dub({ token: "dub_nobody", serverURL });
for (const [type, code, call] of [
  [Unauthorized, "unauthorized", () => stranger.links.count({})],
  [NotFound, "not_found", () => dub.links.get({ linkId: "link_0" })],
  [NotFound, "not_found", () => dub.folders.delete("fold_0")],
  [NotFound, "not_found", () => dub.customers.get({ id: "cus_0" })],
  [Conflict, "conflict", () => dub.links.create({ url: "https://shop.example/", key: `tour-${run}`, domain })],
  [Conflict, "conflict", () => dub.tags.create({ name: `tour ${run}!` })],
  [Forbidden, "forbidden", () => dub.links.create({ url: "https://shop.example/", domain: "foreign.example" })],
  [UnprocessableEntity, "unprocessable_entity", () => dub.links.create({ url: "not a url" })],
  [UnprocessableEntity, "unprocessable_entity", () => dub.links.list({ pageSize: 101 })],
]) {
  await step(`error ${code}: ${call}`, () => assert.rejects(call, (error) => {
    assert.ok(error instanceof type, String(error));
    assert.equal(error.error.code, code);
    assert.ok(error.error.message);
    return true;
  }));
}

const added = await step("domains.create", () => dub.domains.create({ slug: `tour-${run}.example` }));
await step("domains.list", () => dub.domains.list({}));
await step("domains.update", () => dub.domains.update(added.slug, { expiredUrl: "https://shop.example/gone" }));
await step("domains.delete", () => dub.domains.delete(added.slug));

const origin = new URL(serverURL).origin;
const visit = await fetch(`${origin}/tour-${run}`, {
  redirect: "manual",
  headers: { "x-pimms-host": domain, "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36" },
});
const clickId = new URL(visit.headers.get("location")).searchParams.get("pimms_id");
assert.ok(clickId, visit.headers.get("location"));
await step("track.lead", () =>
  dub.track.lead({ clickId, eventName: "Sign up", customerExternalId: `u-${run}`, customerEmail: "ada@shop.example" }));
await step("track.sale", async () => {
  const sale = await dub.track.sale({ customerExternalId: `u-${run}`, amount: 4900, paymentProcessor: "stripe", invoiceId: `INV-${run}` });
  assert.equal(sale.sale.amount, 4900);
});
await step("figures arrive", async () => {
  for (let n = 0; n < 100; n += 1) {
    const count = await dub.analytics.retrieve({ event: "composite", groupBy: "count", linkId: link.id });
    if (count.saleAmount === 4900 && count.clicks === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("they did not within 10 s");
});
const columns = { top_link_tags: "tagId", top_domains: "domain", top_folders: "folderId", utm_sources: "utm_source",
  utm_mediums: "utm_medium", utm_campaigns: "utm_campaign", utm_terms: "utm_term", utm_contents: "utm_content" };
// What only partner programs have.
const absent = ["top_partners", "top_groups", "top_partner_tags"];
for (const groupBy of Object.values(QueryParamGroupBy).filter((name) => !absent.includes(name))) {
  for (const event of ["composite", "clicks", "leads", "sales"]) {
    const retrieve = () => dub.analytics.retrieve({ event, groupBy, interval: "24h" });
    const name = `analytics ${event} ${groupBy}`;
    await (columns[groupBy] ? untyped(name, retrieve, columns[groupBy]) : step(name, retrieve));
  }
}
for (const event of ["clicks", "leads", "sales"]) {
  await step(`events ${event}`, async () => assert.ok((await dub.events.list({ event, interval: "24h" })).length > 0));
}
await step("customers.list", async () => {
  const found = await pages(await dub.customers.list({ externalId: `u-${run}` }));
  assert.equal(found[0].externalId, `u-${run}`);
  await dub.customers.get({ id: found[0].id });
});
await step("customers.update", async () => {
  const id = `ext_u-${run}`;
  assert.equal((await dub.customers.update({ id, requestBody: { name: "Ada", country: "GB" } })).name, "Ada");
});
await step("qrCodes.get", () => dub.qrCodes.get({ url: `https://${domain}/tour-${run}` }));

await step("pimms links.create", () => pimms.links.create({ url: `https://shop.example/p-${run}` }));
await step("pimms links.upsert", () => pimms.links.upsert({ url: `https://shop.example/p-${run}` }));
await step("pimms analytics.retrieve", () => pimms.analytics.retrieve({}));
await step("pimms track.lead", () => pimms.track.lead({ clickId, eventName: "Trial", externalId: `u-${run}` }));
await step("pimms track.sale", () =>
  pimms.track.sale({ externalId: `u-${run}`, amount: 100, paymentProcessor: "stripe", invoiceId: `P-${run}` }));
await step("pimms qrCodes.get", () => pimms.qrCodes.get({ url: `https://${domain}/tour-${run}` }));

await step("customers.delete", () => dub.customers.delete(`ext_u-${run}`));
await step("links.delete", () => dub.links.delete(link.id));
await step("folders.delete", () => dub.folders.delete(folder.id));
await step("tags.delete", () => dub.tags.delete(tag.id));
console.log(`${steps} steps`);
