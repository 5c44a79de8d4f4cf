// The dashboard in a real browser, against the real local runtime: what a marketer does on the first day.
// Arguments: the instance's address, an API key, a sign-in address; the workspace's domain, id and signing secret.

import { createHmac } from 'node:crypto';
import { accessible, check, count, launch } from './browser.mjs';

const [url, key, signIn, domain, workspace, secret] = process.argv.slice(2);
const VISITOR = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

const browser = await launch();
const problems = [];

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', bypassCSP: false, ...options });
  // How far things jump while a page loads; what follows a key or a click within half a second is not counted.
  await context.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) window.shifted += entry.value; })).observe({ type: 'layout-shift', buffered: true });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    const expected = /status of (401|403|404|409|422)/.test(message.text());
    if (message.type() === 'error' && !expected) problems.push(`console: ${message.text()}`);
  });
  return { context, page };
}

async function api(method, path, body) {
  const answer = await fetch(`${url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Plays Stripe: an event, signed as Stripe signs. */
async function stripe(event) {
  const body = JSON.stringify({ created: Math.floor(Date.now() / 1000), livemode: true, ...event });
  const at = Math.floor(Date.now() / 1000);
  const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  const answer = await fetch(`${url}/stripe/webhook/${workspace}`, { method: 'POST', headers: { 'stripe-signature': `t=${at},v1=${mac}` }, body });
  if (!answer.ok) throw new Error(`${event.type}: ${answer.status} ${await answer.text()}`);
}

/** Loads the page again until `locator` is there: what is counted shows within seconds. */
async function until(page, locator) {
  for (let tries = 0; tries < 30; tries += 1) {
    try {
      await locator.first().waitFor({ timeout: 700 });
      return;
    } catch {
      await page.reload();
    }
  }
  throw new Error(`never shown: ${locator}`);
}

async function tour() {
  const { context, page } = await open();

  // Not signed in: a wrong key is told so, and nothing of the workspace shows.
  await page.goto(`${url}/app`);
  await page.getByLabel('API key').fill('pimms_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This key is not known here').waitFor();
  check((await context.cookies()).every((cookie) => !cookie.name.includes('session')), 'no session for a wrong key');
  await accessible(page, 'sign-in');
  await page.getByLabel('API key').fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const cookie = (await context.cookies()).find((one) => one.name.includes('session'));
  check(cookie?.httpOnly && cookie.sameSite === 'Strict', 'the cookie is HttpOnly and SameSite=Strict');
  check(!(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).includes('pimms_'), 'the key is not kept');

  // A link, made in the builder.
  await page.getByRole('link', { name: 'Links', exact: true }).click();
  await page.getByRole('button', { name: 'New link' }).first().click();
  await page.getByLabel('Destination').first().fill('https://shop.example/?from=tour');
  await page.getByLabel('Short link', { exact: true }).fill('tour');
  await page.getByText('This short link is free.').waitFor();
  await page.getByText('UTM parameters').click();
  await page.getByLabel('Campaign').fill(HOSTILE);
  await page.getByLabel('Source').fill('newsletter');
  await page.getByText('Social preview').click();
  await page.getByLabel('Title').fill(HOSTILE);
  await accessible(page, 'the builder');
  await page.getByRole('button', { name: 'Create link' }).click();
  await page.getByRole('heading', { name: 'Your link is ready' }).waitFor();
  const [link] = (await api('GET', '/links?search=tour')).filter((one) => one.key === 'tour');
  check(link?.utm_source === 'newsletter' && link.url.includes('from=tour'), `the link is as asked: ${link?.url}`);
  check(link.trackConversion === true, 'it tracks conversions');

  // UTM values as a template: kept, put in again, replaced, deleted.
  await page.getByRole('button', { name: 'Another one' }).click();
  await page.getByText('UTM parameters').click();
  await page.getByLabel('Medium').fill('email');
  await page.getByLabel('Source').fill('letter');
  await page.getByRole('button', { name: 'Save as template' }).click();
  await page.getByLabel('Name of the template').fill(HOSTILE.slice(0, 50));
  await page.keyboard.press('Enter');
  await page.getByLabel('Template', { exact: true }).waitFor();
  check((await api('GET', '/utm-templates'))[0]?.utm_source === 'letter', 'the template is kept, and no link was made of Enter');
  await page.goto(`${url}/app/links/new`);
  await page.getByText('UTM parameters').click();
  await page.getByLabel('Campaign').fill('autumn');
  await page.getByLabel('Template', { exact: true }).selectOption({ label: HOSTILE.slice(0, 50) });
  check((await page.getByLabel('Source').inputValue()) === 'letter' && (await page.getByLabel('Campaign').inputValue()) === 'autumn', 'a template fills in what it says');
  await accessible(page, 'the builder with a template');
  await page.getByRole('button', { name: 'Save as template' }).click();
  await page.getByText('Replaces the values of').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  const kept = await api('GET', '/utm-templates');
  check(kept.length === 1 && kept[0].utm_campaign === 'autumn', 'the same name replaces');
  await page.getByRole('button', { name: 'Delete the template' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('Deleted', { exact: true }).waitFor();
  check((await api('GET', '/utm-templates')).length === 0, 'the template is gone');
  await page.goto(`${url}/app/links/new`);

  // The same key again is refused before anything is sent.
  await page.getByLabel('Short link', { exact: true }).fill('tour');
  await page.getByText('This short link is taken').waitFor();
  check(await page.getByRole('button', { name: 'Create link' }).isDisabled(), 'a taken key cannot be made');

  // A click, and it shows.
  const answer = await fetch(`${url}/tour`, { redirect: 'manual', headers: { 'user-agent': VISITOR, 'x-pimms-host': domain, referer: 'https://news.example/' } });
  const click = /pimms_id=([^&#]+)/.exec(answer.headers.get('location') ?? '')?.[1];
  check(click, `the redirect names its click: ${answer.status}`);
  await page.goto(`${url}/app/links/${link.id}`);
  await until(page, page.getByRole('button', { name: /^Clicks\s*1/ }));
  check((await page.getByRole('heading', { name: HOSTILE }).count()) === 1, 'a hostile title is text');

  // Its public page, for somebody who is not signed in.
  await page.getByRole('switch', { name: /Anyone with the address/ }).click();
  const address = await page.locator('a[href*="/app/share/dash_"]').getAttribute('href');
  const stranger = await open({ colorScheme: 'dark' });
  await stranger.page.goto(address);
  await stranger.page.getByRole('heading', { name: HOSTILE, level: 1 }).waitFor();
  await stranger.page.locator('.figure .value', { hasText: '1' }).waitFor();
  await stranger.page.getByText('news.example').waitFor();
  check((await stranger.page.getByText('Customers').count()) === 0, 'a public page leads nowhere else');
  for (const colorScheme of ['light', 'dark']) {
    await stranger.page.emulateMedia({ colorScheme });
    await accessible(stranger.page, `the public page in ${colorScheme}`);
    if (process.env.SHOTS) await stranger.page.screenshot({ path: `${process.env.SHOTS}/public-${colorScheme}.png`, fullPage: true });
  }
  await stranger.page.setViewportSize({ width: 360, height: 800 });
  await stranger.page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth);
  if (process.env.SHOTS) await stranger.page.screenshot({ path: `${process.env.SHOTS}/public-phone.png`, fullPage: true });
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/link.png`, fullPage: true });
  await page.getByRole('switch', { name: /Anyone with the address/ }).click();
  await page.locator('a[href*="/app/share/dash_"]').waitFor({ state: 'detached' });
  await stranger.page.reload();
  await stranger.page.getByText('There is no such page').waitFor();
  await stranger.context.close();
  await page.goto(`${url}/app`);
  await page.getByRole('button', { name: /newsletter|onerror/ }).first().waitFor();
  await page.getByRole('button', { name: /onerror/ }).first().click();
  await page.getByText('Campaign: ').waitFor();
  check(new URL(page.url()).searchParams.get('utm_campaign') === HOSTILE, 'a click on a row filters');
  await page.getByRole('button', { name: 'Remove the filter Campaign' }).click();

  // The lead with hostile words, the payment, a refund of another one that nobody knows.
  const run = Date.now();
  await api('POST', '/track/lead', { clickId: click, eventName: 'Sign up', externalId: `user_${run}`, customerName: HOSTILE, customerEmail: 'ada@example.com', metadata: { note: HOSTILE } });
  const payment = { mode: 'payment', payment_status: 'paid', amount_total: 4900, currency: 'usd', payment_intent: `pi_${run}`, customer: `cus_${run}`, metadata: { pimmsCustomerId: `user_${run}` } };
  await stripe({ id: `evt_a${run}`, type: 'checkout.session.completed', data: { object: { id: `cs_${run}`, ...payment } } });
  await stripe({ id: `evt_b${run}`, type: 'charge.refunded', data: { object: { id: `ch_x${run}`, amount: 700, amount_refunded: 700, currency: 'usd', payment_intent: `pi_x${run}` } } });
  await stripe({ id: `evt_c${run}`, type: 'checkout.session.completed', data: { object: { id: `cs_g${run}`, mode: 'payment', payment_status: 'paid', amount_total: 3900, currency: 'eur', payment_intent: `pi_g${run}`, customer_details: { email: 'guest@example.com' } } } });
  await page.goto(`${url}/app/sales`);
  await until(page, page.getByRole('link', { name: 'Why none?' }));
  await page.getByRole('link', { name: 'Why none?' }).click();
  await page.getByRole('heading', { name: 'Why no link?' }).waitFor();
  await page.getByText('Net, converted at the rate of the day').waitFor();
  const without = new URL(page.url()).pathname.slice('/app'.length);
  await page.goto(`${url}/app/sales`);
  await until(page, page.getByRole('link', { name: HOSTILE }));
  await page.getByRole('link', { name: 'Why this link?' }).first().click();
  await page.getByText('The customer’s latest click before the payment').waitFor();
  await page.getByText('$49.00').first().waitFor();
  check(await page.getByText(`pi_${run}`).first().isVisible(), 'the receipt names the payment');
  const sale = new URL(page.url()).pathname.slice('/app'.length);
  await page.getByRole('link', { name: `user_${run}` }).first().click();
  await page.getByRole('heading', { name: HOSTILE }).waitFor();
  check(await page.getByText(JSON.stringify({ note: HOSTILE })).isVisible(), 'hostile metadata is text');
  const customer = new URL(page.url()).pathname.slice('/app'.length);
  await page.goto(`${url}/app/stripe?tab=parked`);
  await until(page, page.getByText('The payment this refund belongs to is not known yet'));
  check(await page.getByText(`ch_x${run}`).isVisible(), 'what waits says of which payment');
  await page.getByRole('tab', { name: 'Webhook log' }).click();
  await page.getByText(`evt_a${run}`).waitFor();
  await page.getByRole('tab', { name: 'Code' }).click();
  for (const [language, line] of [['Node', 'stripe.customers.update(user.stripeCustomerId'], ['Python', 'stripe.checkout.Session.create('], ['PHP', '$stripe->customers->create('], ['Ruby', 'Stripe::Customer.update(']]) {
    await page.getByRole('button', { name: language, exact: true }).click();
    await page.getByText(line).first().waitFor();
    check(await page.getByText(`${url}/api/track/lead`).first().isVisible(), `${language} has this workspace's address`);
  }

  // The stream shows a click without a reload.
  await page.goto(`${url}/app/events`);
  await page.getByText('Live: updates by itself').waitFor();
  await page.getByRole('link', { name: '/tour' }).first().waitFor();
  const newest = await page.locator('.list time').first().getAttribute('datetime');
  await fetch(`${url}/tour`, { redirect: 'manual', headers: { 'user-agent': `${VISITOR} Two`, 'x-pimms-host': domain } });
  await page.waitForFunction((before) => document.querySelector('.list time')?.getAttribute('datetime') !== before, newest, { timeout: 20_000 });
  check(true, 'a click came in by itself');

  // Each kind of event has its tab, and money that went back is among them.
  await page.getByRole('tab', { name: 'Sales' }).click();
  await page.getByRole('link', { name: HOSTILE }).first().waitFor();
  check(new URL(page.url()).searchParams.get('kind') === 'sales', 'the kind is in the address');

  // Folders and tags are made, renamed and deleted; a tag that is added to links takes none away.
  await api('POST', '/tags', { name: 'Kept' });
  await api('POST', '/links', { domain, key: 'bulk-a', url: 'https://shop.example/a', tagNames: ['Kept'] });
  await api('POST', '/links', { domain, key: 'bulk-b', url: 'https://shop.example/b' });
  await page.goto(`${url}/app/links?search=bulk-`);
  await page.getByRole('button', { name: 'Folders and tags' }).click();
  const labels = page.getByRole('dialog');
  for (const [kind, name] of [['New tag', HOSTILE.slice(0, 40)], ['New folder', 'Sprnig'], ['New folder', 'Wrong']]) {
    await labels.getByLabel(kind).fill(name);
    await page.keyboard.press('Enter');
    await labels.getByRole('button', { name: `Rename ${name}` }).waitFor();
  }
  await labels.getByRole('button', { name: 'Rename Sprnig' }).click();
  await labels.getByLabel('Name', { exact: true }).fill('Spring');
  await page.keyboard.press('Enter');
  await labels.getByText('Spring', { exact: true }).waitFor();
  await labels.getByRole('button', { name: 'Delete Wrong' }).click();
  await labels.getByRole('button', { name: 'Delete', exact: true }).click();
  await labels.getByText('Wrong').waitFor({ state: 'detached' });
  await accessible(page, 'folders and tags');
  await page.keyboard.press('Escape');
  const choose = async () => {
    await page.getByLabel('Choose all on this page').check();
    await page.getByText('2 selected').waitFor();
  };
  const told = () => page.getByText('2 changed').last().waitFor();
  await choose();
  await page.getByLabel('Add a tag').selectOption({ label: HOSTILE.slice(0, 40) });
  await told();
  await choose();
  await page.getByLabel('Move to a folder').selectOption({ label: 'Spring' });
  await told();
  const labelled = await api('GET', '/links?search=bulk-&inFolders=true&sortBy=createdAt&sortOrder=asc');
  const names = labelled.map((one) => one.tags.map((tag) => tag.name).sort().join());
  check(names[0] === `${HOSTILE.slice(0, 40)},Kept` && names[1] === HOSTILE.slice(0, 40) && labelled.every((one) => one.folderId), `tags and folder are as chosen: ${names.join(' | ')}`);

  // Settings: a key is made, shown once and revoked.
  if ((await api('GET', '/session')).permissions.includes('tokens.write')) {
    await page.goto(`${url}/app/settings`);
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name of the key').fill('Marketing');
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    const shown = await page.getByRole('dialog').locator('code').innerText();
    check(/^pimms_\w{24}$/.test(shown), 'the new key is shown');
    await page.getByRole('button', { name: 'Done' }).click();
    const row = page.locator('li', { hasText: 'Marketing' });
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    check((await fetch(`${url}/api/session`, { headers: { authorization: `Bearer ${shown}` } })).status === 401, 'the revoked key is dead');
  }

  // Webhooks: made with a secret that is shown once, told of a new link, and what it was told is to be read.
  await page.goto(`${url}/app/settings`);
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(HOSTILE.slice(0, 40));
  await page.getByRole('dialog').getByLabel('Address').fill('https://10.0.0.1/');
  await page.getByRole('dialog').getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await page.getByRole('dialog').getByLabel('Address').fill(`${url}/nobody-listens`);
  await page.getByRole('dialog').getByText('a link is created').click();
  await page.getByRole('dialog').getByRole('button', { name: 'New webhook' }).click();
  check(/^whsec_\w{32}$/.test(await page.getByRole('dialog').locator('code').innerText()), 'the secret is shown');
  await page.getByRole('button', { name: 'Done' }).click();
  await api('POST', '/links', { url: 'https://shop.example/told' });
  const hook = page.locator('li', { hasText: 'nobody-listens' });
  await hook.getByRole('button', { name: 'Deliveries' }).click();
  await page.getByRole('dialog').locator('summary').first().click();
  await page.getByRole('dialog').locator('code', { hasText: 'link.created' }).first().waitFor();
  await page.keyboard.press('Escape');
  await hook.getByRole('button', { name: /^Delete/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await hook.waitFor({ state: 'detached' });

  // The workspace's defaults: the builder and the reports follow.
  await page.goto(`${url}/app/settings`);
  await page.getByLabel('Look-back window').selectOption('30');
  await page.getByLabel('Attribution model').selectOption('linear');
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByLabel('Keep single clicks for, in days').fill('4000');
  await page.getByText('Track conversions on new links').click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('A whole number of days from 1 to 3,650').waitFor();
  await page.getByLabel('Keep single clicks for, in days').fill('90');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Sales are being attributed anew.').waitFor();
  const [chosen] = await api('GET', '/workspaces');
  check(chosen.attributionWindowDays === 30 && chosen.attributionModel === 'linear' && chosen.timezone === 'Asia/Tokyo' && chosen.clickRetentionDays === 90 && !chosen.conversionEnabled && !chosen.storeVisitorAddresses, `the workspace is as chosen: ${JSON.stringify(chosen)}`);
  await page.getByRole('link', { name: 'Overview' }).click();
  check((await page.getByLabel('Attribution model').inputValue()) === 'linear' && (await page.getByLabel('Time zone').inputValue()) === 'Asia/Tokyo', 'reports begin with the defaults');
  await page.goto(`${url}/app/links/new`);
  check(!(await page.getByRole('switch', { name: 'Track conversions' }).isChecked()), 'a new link does as the workspace says');
  await api('PATCH', `/workspaces/${chosen.id}`, { attributionModel: 'last', timezone: null, conversionEnabled: true, attributionWindowDays: 90, clickRetentionDays: null });

  // Another attribution model is asked of the API.
  await page.goto(`${url}/app?linkId=${link.id}`);
  await page.getByLabel('Attribution model').selectOption('first');
  await page.getByRole('button', { name: /Net revenue\s*\$49/ }).waitFor();
  check(page.url().includes('model=first'), 'the model is in the address');

  // Dates of one's own, in the zone of the report.
  await page.goto(`${url}/app`);
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByLabel('Period').selectOption('custom');
  await page.getByLabel('First day').waitFor();
  const asked = page.waitForRequest((request) => /\/api\/analytics\?event=composite&start=2026-03-01T15/.test(decodeURIComponent(request.url())));
  await page.getByLabel('First day').fill('2026-03-02');
  check(decodeURIComponent((await asked).url()).includes('T14:59:59.999Z'), 'a day ends where it ends in the zone');
  await page.getByRole('button', { name: /^Clicks\s*\d/ }).waitFor();
  await accessible(page, 'an overview of dates of one’s own');
  await page.getByLabel('Period').selectOption('30d');
  check(!page.url().includes('from='), 'the dates go with their interval');
  await page.getByLabel('Time zone').selectOption('UTC');

  // Both themes, both languages, a phone.
  for (const theme of ['light', 'dark']) {
    const themed = await context.newPage();
    await themed.emulateMedia({ colorScheme: theme });
    for (const [path, heading] of [['', 'Overview'], ['/links', 'Links'], [`/links/${link.id}`, null], ['/links/new', 'New link'], ['/customers', 'Customers'], [customer, null], ['/sales', 'Sales'], ['/sales?show=back', 'Sales'], [sale, null], [without, null], ['/events', 'Events'], ['/stripe', 'Stripe'], ['/stripe?tab=code', 'Stripe'], ['/stripe?tab=log', 'Stripe'], ['/stripe?tab=parked', 'Stripe'], ['/settings', 'Settings']]) {
      await themed.goto(`${url}/app${path}`);
      if (heading) await themed.getByRole('heading', { name: heading, level: 1 }).waitFor();
      await themed.locator('.bone').first().waitFor({ state: 'detached' });
      await themed.waitForLoadState('networkidle');
      await accessible(themed, `${path || '/'} in ${theme}`);
    }
    await themed.close();
    // Under fingers a row of a list is one target.
    const touched = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: theme, locale: 'fr-FR', storageState: await context.storageState() });
    const phone = await touched.newPage();
    for (const path of ['', '/links', '/links/new', '/customers', '/sales', '/events', '/settings']) {
      await phone.goto(`${url}/app${path}`);
      await phone.locator('h1').waitFor();
      await phone.waitForLoadState('networkidle');
      await accessible(phone, `${path || '/'} under fingers in ${theme}`);
      const small = await phone.evaluate(() => [...document.querySelectorAll('.button, .segments button, .chip button, .switch, .tick, select, .input, .tabs button, summary, .bar-row')]
        .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 40).map((one) => `${one.className} ${one.textContent?.slice(0, 30)}`));
      check(small.length === 0, `fingers hit all of ${path || '/'}: ${small.slice(0, 4).join(' | ')}`);
    }
    await touched.close();
  }
  await page.goto(`${url}/app`);
  await page.getByRole('button', { name: 'FR', exact: true }).click();
  await page.getByRole('heading', { name: 'Vue d’ensemble' }).waitFor();
  check((await page.evaluate(() => document.documentElement.lang)) === 'fr', 'the page says that it is French');
  // What the API says in sentences is French too: the log, what waits, receipts, refusals.
  await page.goto(`${url}/app/stripe?tab=log`);
  await page.getByText('Compté dans une vente de 49,00 $, attribuée').waitFor();
  await page.goto(`${url}/app/stripe?tab=parked`);
  await page.getByText('Le paiement de ce remboursement n’est pas encore connu').waitFor();
  await page.goto(`${url}/app${sale}`);
  await page.getByText('Le dernier clic avant le paiement, dans les 90 jours, par le client').waitFor();
  await page.goto(`${url}/app/links/new`);
  await page.getByLabel('Destination').first().fill('javascript:alert(1)');
  await page.getByRole('button', { name: 'Créer le lien' }).click();
  await page.getByText('Adresse invalide : utilisez http').waitFor();
  check((await page.evaluate(() => document.querySelector('main')?.textContent ?? '')).includes('Expected') === false, 'no English is left');
  await page.goto(`${url}/app`);
  await page.getByRole('button', { name: 'EN', exact: true }).click();
  for (const width of [360, 390, 768]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ['', '/links', '/links/new', `/links/${link.id}`, '/customers', customer, '/sales', sale, '/events', '/stripe', '/stripe?tab=code', '/stripe?tab=log', '/stripe?tab=parked', '/settings']) {
      await page.goto(`${url}/app${path}`);
      await page.waitForLoadState('networkidle');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      const culprits = wide <= 0 ? [] : await page.evaluate(() =>
        [...document.querySelectorAll('*')]
          .filter((one) => one.getBoundingClientRect().right > window.innerWidth)
          .map((one) => `${one.tagName}.${one.className} ${one.textContent?.slice(0, 40)}`).slice(-4));
      const shifted = await page.evaluate(() => window.shifted);
      check(shifted < 0.1, `${path || '/'} stays in place at ${width} px: ${shifted}`);
      check(wide <= 0, `${path || '/'} fits ${width} px, over by ${wide}: ${culprits.join(' | ')}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });

  // By keyboard alone: the skip link, then the navigation.
  await page.goto(`${url}/app`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('Tab');
  check(await page.getByRole('link', { name: 'Skip to content' }).evaluate((link) => link === document.activeElement), 'the first stop skips the navigation');

  // What was shown was text.
  check((await page.evaluate(() => window.hacked)) === undefined, 'no script of a title or a campaign ran');

  // Signing out ends it.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  check((await context.request.get(`${url}/api/session`)).status() === 401, 'signed out');
  await context.close();
}

/** A French browser is spoken to in French; a sign-in link works once, and leaves the address. */
async function link() {
  const { context, page } = await open({ locale: 'fr-FR' });
  await page.goto(signIn);
  await page.getByRole('heading', { name: 'Vue d’ensemble' }).waitFor();
  check(!page.url().includes('sign-in'), 'the token is gone from the address');
  await context.close();
  const again = await open();
  await again.page.goto(signIn);
  await again.page.getByText('This sign-in link was used already').waitFor();
  await again.context.close();
}

/** What a first visit loads, compressed as the platform compresses it. */
async function firstLoad() {
  const { context, page } = await open();
  await context.request.post(`${url}/api/session`, { data: { apiKey: key }, headers: { 'x-pimms-dashboard': '1' } });
  const { gzipSync } = await import('node:zlib');
  let bytes = 0;
  const reading = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.startsWith('/app')) reading.push(response.body().then((body) => { bytes += gzipSync(body).length; }));
  });
  const started = Date.now();
  await page.goto(`${url}/app`);
  await page.getByRole('button', { name: /^Clicks\s*\d/ }).waitFor();
  const ready = Date.now() - started;
  await page.locator('.uplot').waitFor();
  await page.waitForLoadState('networkidle');
  await Promise.all(reading);
  check(bytes > 10_000 && bytes <= 120 * 1024, `the first load is ${bytes} bytes`);
  const policy = (await page.request.get(`${url}/app`)).headers()['content-security-policy'] ?? '';
  check(policy.includes("script-src 'self'") && !policy.includes('unsafe'), policy);
  await context.close();
  return { bytes, ready };
}

try {
  await link();
  await tour();
  const { bytes, ready } = await firstLoad();
  check(problems.length === 0, problems.join('\n'));
  console.log(`${count()} steps, first load ${bytes} bytes, figures after ${ready} ms`);
} finally {
  await browser.close();
}
