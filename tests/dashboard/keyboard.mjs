// The dashboard by keyboard alone: from signing in to the page of a link that was just made; and every dialog, in both
// themes. Arguments: the instance's address, an API key, the workspace's domain.

import { accessible, check, count, launch, open } from './browser.mjs';

const [url, key, domain] = process.argv.slice(2);
const browser = await launch();
const problems = [];
const MOST = 60;
const run = Date.now().toString(36);

const focused = (page) => page.evaluate(() => {
  const one = document.activeElement;
  return { name: one?.getAttribute('aria-label') || one?.labels?.[0]?.textContent || one?.textContent || '', tag: one?.tagName ?? '' };
});

/** Presses Tab until what is focused has this name. */
async function tabTo(page, name, step = 'Tab') {
  const seen = [];
  for (let at = 0; at < MOST; at += 1) {
    const now = await focused(page);
    if (typeof name === 'string' ? now.name.trim() === name : name.test(now.name.trim())) return;
    seen.push(`${now.tag} ${now.name.trim().slice(0, 30)}`);
    await page.keyboard.press(step);
  }
  throw new Error(`never focused: ${name}; but ${seen.join(' | ')}`);
}

/** Where the focus can be seen, and is not hidden behind something. */
async function isVisible(page, what) {
  const shown = await page.evaluate(() => {
    const one = document.activeElement;
    if (!one || one === document.body) return 'nothing is focused';
    const box = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    if (box.width === 0 || box.height === 0) return 'it has no size';
    return style.outlineStyle !== 'none' || style.boxShadow !== 'none' ? '' : 'it has no outline';
  });
  check(shown === '', `${what} can be seen: ${shown}`);
}

async function walk() {
  const { context, page } = await open(browser, problems, {}, ['status of 401']);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
  await page.goto(`${url}/app`);
  await page.getByLabel('API key').waitFor();
  await tabTo(page, 'API key');
  await isVisible(page, 'the field of the key');
  await page.keyboard.type(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  // To the links, and to a new one.
  await tabTo(page, 'Links');
  await isVisible(page, 'a link of the navigation');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Links', level: 1 }).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'content');
  check(true, 'another page takes the focus');
  await tabTo(page, 'New link');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'New link', level: 1 }).waitFor();
  await page.getByLabel('Destination').first().waitFor();
  await tabTo(page, /^Destination/);
  await page.keyboard.type('https://shop.example/by-keyboard');
  await tabTo(page, 'Short link');
  await page.keyboard.press('Control+A');
  await page.keyboard.type(`k-${run}`);
  await page.getByText('This short link is free.').waitFor();
  await tabTo(page, 'Create link');
  await isVisible(page, 'the button that makes the link');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your link is ready' }).waitFor();
  const start = await focused(page);
  check(start.tag !== 'BODY', `the focus is where it goes on, not at the top: ${start.tag}`);
  await tabTo(page, 'Copy');
  await page.keyboard.press('Enter');
  await page.getByText('Copied').first().waitFor();
  check((await page.evaluate(() => navigator.clipboard.readText())).endsWith(`/k-${run}`), 'the short link is in the clipboard');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/app\/links\/link_/);
  await page.getByRole('heading', { name: new RegExp(`k-${run}$`), level: 1 }).waitFor();
  check(true, 'its page is open');
  await context.close();
}

/** A dialog: opened by keyboard, kept in, left by Escape; the focus is then where it came from. */
async function dialog(page, opener, title) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await opener.first().focus();
    await page.keyboard.press('Enter');
    const shown = page.getByRole('dialog', { name: title });
    await shown.waitFor();
    const isIn = () => page.evaluate(() => document.activeElement?.closest('dialog') !== null && document.activeElement !== document.body);
    check(await isIn(), `${title} takes the focus`);
    await accessible(page, `${title} in ${colorScheme}`);
    for (const step of ['Tab', 'Shift+Tab']) {
      for (let at = 0; at < 12; at += 1) {
        await page.keyboard.press(step);
        // Between the last and the first the browser's own bar has its turn.
        const where = await page.evaluate(() => (document.activeElement === document.body ? 'bar' : document.activeElement?.closest('dialog') ? 'in' : document.activeElement?.outerHTML.slice(0, 80)));
        if (where !== 'in' && where !== 'bar') throw new Error(`${title} lets the focus out: ${where}`);
      }
    }
    await page.keyboard.press('Escape');
    await shown.waitFor({ state: 'hidden' });
    check(await opener.first().evaluate((one) => one === document.activeElement), `${title} gives the focus back`);
  }
}

async function dialogs() {
  const { context, page } = await open(browser, problems);
  await context.request.post(`${url}/api/session`, { data: { apiKey: key }, headers: { 'x-pimms-dashboard': '1' } });
  page.setDefaultTimeout(12_000);
  const bearer = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const api = async (path, body) => (await fetch(`${url}/api${path}`, { method: 'POST', headers: bearer, body: JSON.stringify(body) })).json();
  const link = await api('/links', { domain, key: `d-${run}`, url: 'https://shop.example/' });
  await api('/domains', { slug: `second-${run}.example` });
  await api('/tokens', { name: `Keyboard ${run}`, scopes: ['links.read'] });
  const customer = await api('/customers', { externalId: run, name: 'Ada' });
  const button = (name) => page.getByRole('button', { name, exact: true });

  await page.goto(`${url}/app/links/${link.id}`);
  await button('Delete').waitFor();
  await dialog(page, button('Delete'), /Delete.*1/i);
  await page.goto(`${url}/app/customers/${customer.id}`);
  await dialog(page, page.locator('.page-actions button.danger, button.danger').first(), /Ada/);
  await page.goto(`${url}/app/settings`);
  await button('New key').waitFor();
  await dialog(page, button('New key'), 'New key');
  await dialog(page, page.locator('li', { hasText: `Keyboard ${run}` }).getByRole('button', { name: 'Revoke' }), `Revoke Keyboard ${run}?`);
  await dialog(page, button(`Delete second-${run}.example?`), `Delete second-${run}.example?`);
  await dialog(page, button('Sign out everywhere'), 'Sign out everywhere?');

  // What was asked is done by keyboard as well, and the focus does not fall to the top with the row that goes.
  await page.locator('li', { hasText: `Keyboard ${run}` }).getByRole('button', { name: 'Revoke' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.waitForFunction(() => document.activeElement?.closest('dialog'));
  await tabTo(page, 'Revoke');
  await page.keyboard.press('Enter');
  await page.locator('li', { hasText: `Keyboard ${run}` }).waitFor({ state: 'detached' });
  check((await focused(page)).tag === 'MAIN', 'the page has the focus of the row that went');

  // The builder and the picture of its short link.
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.goto(`${url}/app/links/new`);
    await page.getByLabel('Destination').first().waitFor();
    for (const summary of await page.locator('details > summary').all()) await summary.click();
    await accessible(page, `the builder, all of it open, in ${colorScheme}`);
    await page.goto(`${url}/app/links/${link.id}`);
    await page.getByRole('img', { name: /QR/ }).waitFor();
    await page.locator('.bone').first().waitFor({ state: 'detached' });
    await accessible(page, `the QR code in ${colorScheme}`);
  }

  // The menu of a phone.
  await page.setViewportSize({ width: 390, height: 800 });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.goto(`${url}/app/settings`);
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    const menu = page.getByRole('button', { name: 'Menu' });
    await menu.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Overview' }).waitFor();
    await page.waitForFunction(() => document.activeElement?.closest('.side'));
    check((await menu.getAttribute('aria-expanded')) === 'true', 'the menu says that it is open');
    await accessible(page, `the menu in ${colorScheme}`);
    for (let at = 0; at < 20; at += 1) {
      await page.keyboard.press('Tab');
      check(!(await page.evaluate(() => document.activeElement?.closest('main'))), 'the menu keeps the focus from what it covers');
    }
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Overview' }).waitFor({ state: 'hidden' });
    check(await menu.evaluate((one) => one === document.activeElement), 'the menu gives the focus back');
  }
  await page.keyboard.press('Enter');
  await tabTo(page, 'Sales');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sales', level: 1 }).waitFor();
  check(await page.getByRole('link', { name: 'Overview' }).isHidden(), 'the menu closes where it has led');
  await context.close();
}

try {
  await walk();
  await dialogs();
  check(problems.length === 0, problems.join('\n'));
  console.log(`${count()} steps`);
} finally {
  await browser.close();
}
