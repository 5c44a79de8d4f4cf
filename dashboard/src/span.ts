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

export interface Choice { interval: string; timezone: string; model: string; gross: boolean; filters: [string, string][] }

export function choice(query: URLSearchParams): Choice {
  const interval = query.get('interval') ?? localStorage.getItem('interval') ?? '30d';
  const model = query.get('model') ?? defaults.attributionModel;
  return {
    interval: (INTERVALS as readonly string[]).includes(interval) ? interval : '30d',
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
    interval: chosen.interval,
    timezone: chosen.timezone,
    model: chosen.model,
    ...(chosen.gross ? { gross: 'true' } : {}),
    ...Object.fromEntries(chosen.filters),
  };
}

export function chooseInterval(interval: string): void {
  localStorage.setItem('interval', interval);
  setQuery({ interval });
}

export function zones(chosen: string): string[] {
  const all = new Set([chosen, own, ...(defaults.timezone ? [defaults.timezone] : []), 'UTC', 'America/Los_Angeles', 'America/New_York', 'America/Sao_Paulo', 'Europe/London', 'Europe/Paris', 'Africa/Lagos', 'Asia/Dubai', 'Asia/Kolkata', 'Asia/Singapore', 'Asia/Tokyo', 'Australia/Sydney']);
  return [...all];
}

export function chooseZone(zone: string): void {
  localStorage.setItem('timezone', zone);
  setQuery({ tz: here().query.get('tz') === '1' ? '2' : '1' });
}
