// The browser that the dashboard's tests drive. Its defaults are those of a person's browser: no check is switched off.

import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

const ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader'];

export const launch = async () =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: true });

let steps = 0;

/** Ends the tour unless it holds. */
export function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
  steps += 1;
}

export const count = () => steps;
