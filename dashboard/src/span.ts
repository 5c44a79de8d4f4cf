// The span of a report: kept in the address, so that it can be shared, and across pages.

import type { Query } from './api';
import { here, setQuery } from './router';

export const INTERVALS = ['24h', '7d', '30d', '90d', '6m', '1y', 'mtd', 'qtd', 'ytd', 'all'] as const;
export const MODELS = ['last', 'first', 'linear', 'position', 'decay'] as const;

const own = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** What the workspace has chosen for readers who have not. */
let defaults: { timezone: string | null; attributionModel: string } = { timezone: null, attributionModel: 'last' };

export function setDefaults(of: typeof defaults): void {
  defaults = of;
}

export const defaultModel = (): string => defaults.attributionModel;

/** What reports are filtered by: the API's names, and the group whose rows set it. */
export const FILTERS = ['linkId', 'utm_campaign', 'utm_source', 'utm_medium', 'utm_term', 'utm_content', 'referer', 'country', 'city', 'region', 'device', 'browser', 'os', 'trigger', 'folderId', 'tagId', 'domain'] as const;

/** A span of the reader's own: its first and its last day. */
export const CUSTOM = 'custom';
const DAY_MS = 86_400_000;

/** `from` and `to`: days such as `2030-01-31`, where the interval is [`CUSTOM`]. */
export interface Choice { interval: string; from: string; to: string; timezone: string; model: string; gross: boolean; filters: [string, string][] }

export function choice(query: URLSearchParams): Choice {
  const interval = query.get('interval') ?? localStorage.getItem('interval') ?? '30d';
  const days = [query.get('from') ?? '', query.get('to') ?? ''].sort();
  const [from = '', to = ''] = days.every((day) => !Number.isNaN(Date.parse(`${day}T00:00:00Z`))) ? days : [];
  const model = query.get('model') ?? defaults.attributionModel;
  return {
    interval: from ? CUSTOM : (INTERVALS as readonly string[]).includes(interval) ? interval : '30d',
    from,
    to,
    timezone: localStorage.getItem('timezone') ?? defaults.timezone ?? own,
    model: (MODELS as readonly string[]).includes(model) ? model : 'last',
    gross: query.get('gross') === 'true',
    filters: FILTERS.flatMap((name): [string, string][] => {
      const value = query.get(name);
      return value ? [[name, value]] : [];
    }),
  };
}

export function asked(chosen: Choice): Query {
  return {
    ...(chosen.interval === CUSTOM ? { start: new Date(firstInstant(chosen.from, chosen.timezone)).toISOString(), end: new Date(firstInstant(dayAfter(chosen.to), chosen.timezone) - 1).toISOString() } : { interval: chosen.interval }),
    timezone: chosen.timezone,
    model: chosen.model,
    ...(chosen.gross ? { gross: 'true' } : {}),
    ...Object.fromEntries(chosen.filters),
  };
}

const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);

/** When a day begins in a zone. */
function firstInstant(day: string, zone: string): number {
  const wall = Date.parse(`${day}T00:00:00Z`);
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' });
  const offset = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute']) - at;
  };
  // Once more, in case the clocks changed between the guess and the answer.
  return wall - offset(wall - offset(wall));
}

/** `2030-01-31` of today, or some days before, in a zone. */
const dayOf = (zone: string, daysAgo: number): string => new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(Date.now() - daysAgo * DAY_MS);

export function chooseInterval(interval: string, zone: string): void {
  if (interval === CUSTOM) return setQuery({ from: dayOf(zone, 6), to: dayOf(zone, 0), interval: null });
  localStorage.setItem('interval', interval);
  setQuery({ interval, from: null, to: null });
}

/** Another first or last day; an empty field leaves it. */
export function chooseDay(name: 'from' | 'to', day: string): void {
  if (day) setQuery({ [name]: day });
}

export function zones(chosen: string): string[] {
  const all = new Set([chosen, own, ...(defaults.timezone ? [defaults.timezone] : []), 'UTC', 'America/Los_Angeles', 'America/New_York', 'America/Sao_Paulo', 'Europe/London', 'Europe/Paris', 'Africa/Lagos', 'Asia/Dubai', 'Asia/Kolkata', 'Asia/Singapore', 'Asia/Tokyo', 'Australia/Sydney']);
  return [...all];
}

export function chooseZone(zone: string): void {
  localStorage.setItem('timezone', zone);
  setQuery({ tz: here().query.get('tz') === '1' ? '2' : '1' });
}
