// Importing and exporting in a real browser: lines that are wrong, lines that are there, a run that is cancelled, an answer
// that is lost. Arguments: the instance's address, an API key, the workspace's domain.

import { readFileSync } from 'node:fs';
import { accessible, check, count, launch, open } from './browser.mjs';

const [url, key, domain] = process.argv.slice(2);
const browser = await launch();
const problems = [];

async function api(method, path, body) {
  const answer = await fetch(`${url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const links = () => api('GET', '/links/count');
const csv = (lines) => ({ name: 'links.csv', mimeType: 'text/csv', buffer: Buffer.from(['\uFEFFDestination URL;Short Link;Title;Tags;archived;utm_source;colour', ...lines].join('\r\n')) });
const named = (from, to) => Array.from({ length: to - from }, (_, at) => `https://shop.example/p/${from + at}?a=1;https://${domain}/imp-${from + at};"Nr. ""${from + at}""; yes";;no;news;red`);

/** The closing table. */
const account = async (page) => {
  await page.locator('.account').waitFor({ timeout: 60_000 });
  return (await page.locator('.account tbody td').allInnerTexts()).map(Number);
};

async function importing() {
  const { context, page } = await open(browser, problems, {}, ['status of 409', 'status of 422', 'status of 404', 'ERR_FAILED', 'status of 400']);
  await context.request.post(`${url}/api/session`, { data: { apiKey: key }, headers: { 'x-pimms-dashboard': '1' } });
  await api('POST', '/links', { domain, key: 'there', url: 'https://shop.example/there' });
  await api('POST', '/links', { domain, key: 'elsewhere', url: 'https://shop.example/elsewhere' });
  await api('POST', '/links', { domain, url: 'https://shop.example/nameless-there' });
  await page.goto(`${url}/app/settings`);
  await page.getByRole('link', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Import and export', level: 1 }).waitFor();

  // No column url: nothing to import.
  const file = page.getByLabel('CSV file');
  await file.setInputFiles({ name: 'x.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2') });
  await page.getByText('names no column url').waitFor();

  const lines = [
    ...named(0, 70),
    `https://shop.example/there;${domain}/there;;;;;`,
    `https://shop.example/other;${domain}/elsewhere;;;;;`,
    'https://shop.example/nameless-there;;;;;;',
    'https://shop.example/nameless-new;;;;;;',
    `;${domain}/no-url;;;;;`,
    `https://shop.example/flag;${domain}/flag;;;perhaps;;`,
    `https://shop.example/twice;${domain}/IMP-3;;;;;`,
    'https://shop.example/nameless-new;;;;;;',
    `https://shop.example/foreign;go.not-ours.example/foreign;;;;;`,
    `https://shop.example/reserved;${domain}/${'k'.repeat(300)};;;;;`,
  ];
  await file.setInputFiles(csv(lines));
  await page.getByText('Links to import: 76. Lines that cannot be read: 4.').waitFor();
  await page.getByText('Columns without use: colour.').waitFor();
  for (const told of ['The line has no url.', 'archived: “perhaps” is neither true nor false.', 'Stands in line 5 already.', 'Stands in line 75 already.']) await page.getByText(told).first().waitFor();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await accessible(page, `the preview in ${colorScheme}`);
  }
  const before = await links();
  await page.getByRole('button', { name: 'Import 76 links' }).click();
  check(String(await account(page)) === '80,71,2,7', `read, created, there, refused: ${await account(page)}`);
  await page.getByText('It is there already with another url.').waitFor();
  check((await links()) === before + 71, 'as many links as told were made');
  const [made] = (await api('GET', '/links?search=imp-33')).filter((one) => one.key === 'imp-33');
  check(made?.title === 'Nr. "33"; yes' && made.utm_source === 'news' && made.archived === false, `the columns arrive: ${JSON.stringify(made)}`);
  check((await api('GET', `/links/info?domain=${domain}&key=elsewhere`)).url === 'https://shop.example/elsewhere', 'nothing is overwritten');
  await accessible(page, 'the account');

  // Again: nothing is made.
  await page.getByRole('button', { name: 'Import again' }).click();
  await page.locator('.account').waitFor({ state: 'detached' });
  check(String(await account(page)) === '80,0,73,7', `the second time: ${await account(page)}`);
  check((await links()) === before + 71, 'twice makes nothing twice');

  // The server made the links and the answer was lost: it is asked again, and nothing doubles.
  let lost = 0;
  await page.route('**/api/links/bulk', async (route) => {
    await route.fetch();
    lost += 1;
    if (lost === 1) await route.abort('failed');
    else await route.fallback();
  });
  await file.setInputFiles(csv(named(100, 120)));
  await page.getByRole('button', { name: 'Import 20 links' }).click();
  check(String(await account(page)) === '20,0,20,0', `after a lost answer: ${await account(page)}`);
  check((await links()) === before + 91, 'a lost answer doubles nothing');
  await page.unroute('**/api/links/bulk');

  // Cancelled after the first part; what was made stays, and the next time goes on.
  await page.route('**/api/links/bulk', async (route) => {
    const sent = route.request().postDataJSON();
    if (sent[0].key !== 'imp-200') await new Promise((resolve) => setTimeout(resolve, 30_000));
    await route.continue().catch(() => undefined);
  });
  await file.setInputFiles(csv(named(200, 300)));
  await page.getByRole('button', { name: 'Import 100 links' }).click();
  await page.getByText('50 of 100 lines').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('It ended early.').waitFor();
  check(String(await account(page)) === '100,50,0,0', `cancelled: ${await account(page)}`);
  await page.unroute('**/api/links/bulk');
  await page.getByRole('button', { name: 'Import again' }).click();
  await page.locator('.account').waitFor({ state: 'detached' });
  check(String(await account(page)) === '100,50,50,0', `gone on: ${await account(page)}`);
  check((await links()) === before + 191, 'all are there, once');

  // On a phone.
  await page.setViewportSize({ width: 360, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(wide <= 0, `fits 360 px, over by ${wide}`);
  await context.close();
}

async function exporting() {
  const { context, page } = await open(browser, problems, { acceptDownloads: true }, ['status of 503', 'ERR_FAILED', 'ERR_INCOMPLETE', 'ERR_CONTENT_LENGTH']);
  await context.request.post(`${url}/api/session`, { data: { apiKey: key }, headers: { 'x-pimms-dashboard': '1' } });
  await page.goto(`${url}/app/settings/data`);
  const download = async (name) => {
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `Download: ${name}` }).click()]);
    await page.getByText(`${saved.suggestedFilename()} is complete`).waitFor();
    return { name: saved.suggestedFilename(), text: readFileSync(await saved.path(), 'utf8') };
  };
  const total = await links();
  const asCsv = await download('Links');
  check(/^links-\d{4}-\d{2}-\d{2}\.csv$/.test(asCsv.name), asCsv.name);
  check(asCsv.text.includes('https://shop.example/p/299?a=1'), 'the last link is in the file');
  for (const name of ['Customers', 'Sales', 'Events']) check((await download(name)).text.split('\n')[0].includes(','), `${name} has a header`);
  await page.getByRole('button', { name: 'NDJSON' }).click();
  const rows = (await download('Links')).text.trim().split('\n').map((line) => JSON.parse(line));
  check(rows.length === total, `every link is in the file: ${rows.length} of ${total}`);
  await page.route('**/api/sales/export*', (route) => route.fulfill({ status: 503, json: { error: { code: 'service_unavailable', message: 'A store did not answer. Try again.' } } }));
  await page.getByRole('button', { name: 'Download: Sales' }).click();
  await page.getByText('A store did not answer. Try again.').waitFor();
  // Under way it can be cancelled, and another one begun.
  await page.route('**/api/events/export*', () => undefined);
  await page.getByRole('button', { name: 'Download: Events' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Download: Events' }).waitFor();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await accessible(page, `exports in ${colorScheme}`);
  }
  await context.close();
}

try {
  await importing();
  await exporting();
  check(problems.length === 0, problems.join('\n'));
  console.log(`${count()} steps`);
} finally {
  await browser.close();
}
