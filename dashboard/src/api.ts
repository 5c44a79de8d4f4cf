// The public API, as a signed-in browser calls it.

import { t } from './i18n';
import { refusal } from './problems';

/** What went wrong, in words for a person. */
export class ApiError extends Error {
  /** Which field of the body is wrong; empty if it is not about one. */
  readonly field: string;

  /** `invalid_string: url: Invalid url` says which rule was broken, by which field, and how. */
  constructor(readonly status: number, readonly code: string, told: string) {
    const [, , field = '', text = told] = /^([a-z_]+): ([\w.]+)[^:]*: (.+)$/s.exec(told) ?? [];
    super(status >= 400 ? refusal(code, text) : text);
    this.field = field;
  }
}

export type Query = Record<string, string | number | boolean | undefined | null>;

let mode: 'live' | 'test' = readMode();
let onSignedOut: (asked: boolean) => void = () => undefined;

function readMode(): 'live' | 'test' {
  return sessionStorage.getItem('mode') === 'test' ? 'test' : 'live';
}

export const currentMode = (): 'live' | 'test' => mode;

export function setMode(next: 'live' | 'test'): void {
  mode = next;
  sessionStorage.setItem('mode', next);
}

/** Called when the session has ended: by somebody's wish, or because its time was over. */
export function whenSignedOut(then: (asked: boolean) => void): void {
  onSignedOut = then;
}

/** Says that somebody signed out. */
export const signedOut = (): void => onSignedOut(true);

export function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

export async function call<T>(method: string, path: string, query: Query = {}, body?: unknown, signal?: AbortSignal): Promise<T> {
  const inMode = mode === 'test' ? { mode, ...query } : query;
  let response: Response;
  try {
    response = await fetch(`/api${path}${queryText(inMode)}`, {
      method,
      signal: signal ?? null,
      credentials: 'same-origin',
      headers: { 'x-pimms-dashboard': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'offline', t('error.offline'));
  }
  const text = await response.text();
  let json: unknown = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError(response.status, 'unreadable', t('error.unreadable', { status: response.status }));
  }
  if (response.ok) return json as T;
  const told = (json as { error?: { code?: string; message?: string } } | null)?.error;
  if (response.status === 401 && path !== '/session') onSignedOut(false);
  throw new ApiError(response.status, told?.code ?? 'unknown', told?.message ?? t('error.unreadable', { status: response.status }));
}

export const get = <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> => call<T>('GET', path, query, undefined, signal);
export const post = <T>(path: string, body: unknown): Promise<T> => call<T>('POST', path, {}, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>('PATCH', path, {}, body);
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>('PUT', path, {}, body);
export const remove = <T>(path: string): Promise<T> => call<T>('DELETE', path);

export interface Session {
  workspaceId: string;
  keyId: string;
  currency: string;
  timezone: string | null;
  attributionModel: string;
  conversionEnabled: boolean;
  permissions: string[];
  expiresAt: string | null;
}

export interface Tag { id: string; name: string; color: string }
export interface Folder { id: string; name: string }
export interface Unconverted { currency: string; amount: number }
export interface Variant { url: string; percentage: number }

export interface Link extends Metrics {
  id: string; domain: string; key: string; url: string; shortLink: string; qrCode: string;
  title: string | null; description: string | null; image: string | null; comments: string | null;
  externalId: string | null; folderId: string | null; tags: Tag[];
  trackConversion: boolean; archived: boolean; publicStats: boolean; proxy: boolean; rewrite: boolean; doIndex: boolean;
  password: string | null; expiresAt: string | null; expiredUrl: string | null; disabledAt: string | null;
  ios: string | null; android: string | null; geo: Record<string, string> | null;
  testVariants: Variant[] | null; testCompletedAt: string | null; maxClicks: number | null;
  utm_source: string | null; utm_medium: string | null; utm_campaign: string | null;
  utm_term: string | null; utm_content: string | null;
  createdAt: string; lastClicked: string | null;
}

export interface Metrics {
  clicks: number; leads: number; sales: number; saleAmount: number;
  unconverted?: Unconverted[];
}

export interface Customer {
  id: string; externalId: string; name: string; email: string | null; country: string | null;
  stripeCustomerId: string | null; createdAt: string; firstSaleAt: string | null;
  leads: unknown; sales: unknown; saleAmount: number; totalClicks: number;
  link?: { id: string; shortLink: string; domain: string; key: string } | null;
}

export interface Workspace {
  id: string; name: string; slug: string; currency: string; allowedHostnames: string[]; createdAt: string;
  timezone: string | null; conversionEnabled: boolean; attributionWindowDays: number; attributionModel: string;
  storeVisitorAddresses: boolean; clickRetentionDays: number | null; defaultClickRetentionDays: number;
}
