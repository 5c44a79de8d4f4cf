// Pictures of every page, to be looked at: both themes, a phone and a desk, English and French.
//
//     node tests/dashboard/look.mjs <url> <API key> <folder> [page, page …]

import { mkdirSync } from 'node:fs';
import { launch } from './browser.mjs';

const [url, key, folder, ...only] = process.argv.slice(2);
const mode = process.env.MODE ?? 'live';
const browser = await launch();
const api = async (path) => (await fetch(`${url}/api${path}`, { headers: { authorization: `Bearer ${key}` } })).json();

mkdirSync(folder, { recursive: true });
const [link] = await api('/links?sortBy=clicks&sortOrder=desc');
const [sale] = await api('/events?event=sales&interval=all');
const [customer] = await api('/customers');
const pages = {
  overview: '', links: '/links', link: `/links/${link?.id}`, new: '/links/new', edit: `/links/${link?.id}/edit`, customers: '/customers',
  customer: `/customers/${customer?.id}`, sales: '/sales', back: '/sales?show=back', sale: `/sales/${sale?.eventId}`, events: '/events',
  stripe: '/stripe', code: '/stripe?tab=code', log: '/stripe?tab=log', parked: '/stripe?tab=parked', settings: '/settings', lost: '/nowhere',
};

try {
  for (const language of (process.env.LANGUAGES ?? 'en,fr').split(',')) {
    for (const width of (process.env.WIDTHS ?? '1440,390').split(',').map(Number)) {
      for (const theme of (process.env.THEMES ?? 'light,dark').split(',')) {
        const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme: theme, hasTouch: width < 500, isMobile: width < 500, locale: language, timezoneId: 'Europe/Paris', deviceScaleFactor: 1 });
        await context.addInitScript((wanted) => sessionStorage.setItem('mode', wanted), mode);
        await context.request.post(`${url}/api/session`, { data: { apiKey: key }, headers: { 'x-pimms-dashboard': '1' } });
        for (const [name, path] of Object.entries(pages)) {
          if (only.length > 0 && !only.includes(name)) continue;
          const page = await context.newPage();
          await page.goto(`${url}/app${path}`);
          await page.locator('h1').first().waitFor();
          await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined);
          await page.locator('.bone').first().waitFor({ state: 'detached', timeout: 5000 }).catch(() => undefined);
          await page.waitForTimeout(200);
          const tall = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.screenshot({ path: `${folder}/${name}-${width}-${theme}-${language}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(tall, width < 500 ? 1500 : 1800) } });
          await page.close();
        }
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
}
