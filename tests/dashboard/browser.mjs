// The browser that the dashboard's tests drive. Its defaults are those of a person's browser: no check is switched off.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

const ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader'];

export const launch = async () =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: true });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let steps = 0;

/** Ends the tour unless it holds. */
export function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
  steps += 1;
}

export const count = () => steps;

/** No violation of axe's rules for WCAG A and AA, on the page as it is. */
export async function accessible(page, name) {
  // A colour half way between two themes is nobody's. Transitions begin with the next frame, and each may begin another.
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const running = () => document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    for (await frame(); running().length > 0; await frame()) await Promise.allSettled(running().map((one) => one.finished));
  });
  // Through the debugger, not a script tag: the page's policy holds.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  const told = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any.map((any) => any.message).join(' ')}`).slice(0, 3).join(' | ')}`);
  check(told.length === 0, `${name} is accessible: ${told.join('; ')}`);
}

/** A page that fails the test when it throws or complains. `expected`: statuses that the test provokes. */
export async function open(browser, problems, options = {}, expected = []) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.some((text) => message.text().includes(text))) problems.push(`console: ${message.text()}`);
  });
  return { context, page };
}
