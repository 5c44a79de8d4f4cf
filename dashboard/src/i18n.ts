// Words, numbers and dates in the reader's language.

import { WORDS } from './words';

export type Language = 'en' | 'fr';
export type Word = keyof typeof WORDS;

function firstLanguage(): Language {
  const kept = localStorage.getItem('language');
  if (kept === 'en' || kept === 'fr') return kept;
  const wanted = navigator.languages.find((tag) => /^(en|fr)\b/i.test(tag)) ?? 'en';
  return wanted.toLowerCase().startsWith('fr') ? 'fr' : 'en';
}

let language: Language = firstLanguage();
document.documentElement.lang = language;

export const currentLanguage = (): Language => language;

export function setLanguage(next: Language): void {
  language = next;
  localStorage.setItem('language', next);
  document.documentElement.lang = next;
}

/** A word, with `{name}` filled in. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  const text = WORDS[word][language === 'en' ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** A word that may not be there: of what the API says in English. */
export function known(prefix: string, text: string): string {
  const word = `${prefix}.${text}`;
  return word in WORDS ? t(word as Word) : text;
}

const locale = (): string => (language === 'fr' ? 'fr-FR' : 'en-US');

export const number = (value: number): string => new Intl.NumberFormat(locale()).format(value);

export const compact = (value: number): string =>
  new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }).format(value);

export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  return new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: share !== 0 && Math.abs(share) < 0.1 ? 1 : 0 }).format(share);
}

/** Where `$` alone is this currency to everybody: French would write `$US`. */
const PLAIN: readonly string[] = ['usd', 'gbp', 'jpy'];

/** Decimals of Stripe's minor units where they are not those of ISO 4217. */
const STRIPE_DIGITS: Record<string, number> = { isk: 2, ugx: 2, mga: 0 };

export function digitsOf(currency: string): number {
  const own = STRIPE_DIGITS[currency.toLowerCase()];
  if (own !== undefined) return own;
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

export function money(minor: number, currency: string, short = false): string {
  const digits = digitsOf(currency);
  const value = minor / 10 ** digits;
  try {
    const whole = short && Math.abs(value) >= 100_000;
    return new Intl.NumberFormat(locale(), {
      style: 'currency',
      currency: currency.toUpperCase(),
      currencyDisplay: PLAIN.includes(currency.toLowerCase()) ? 'narrowSymbol' : 'symbol',
      ...(whole ? { notation: 'compact', maximumFractionDigits: 1 } : { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    }).format(value);
  } catch {
    return `${value} ${currency.toUpperCase()}`;
  }
}

export function date(iso: string | null, timezone?: string): string {
  if (!iso) return '–';
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: timezone }).format(new Date(iso));
}

/** Without the year when it is this one. */
export function shortDate(iso: string): string {
  const at = new Date(iso);
  const isThisYear = at.getFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(locale(), isThisYear ? { day: 'numeric', month: 'short' } : { month: 'short', year: 'numeric' }).format(at);
}

export function dateTime(iso: string | null, timezone?: string): string {
  if (!iso) return '–';
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: timezone }).format(new Date(iso));
}

/** How long ago, in the largest unit that fits. */
export function ago(iso: string): string {
  const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' });
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]] as const) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(Math.round(Math.min(seconds, 0)), 'second');
}

/** `EUR` as `EUR – Euro`. */
export function currencyName(code: string): string {
  try {
    return `${code} – ${new Intl.DisplayNames(locale(), { type: 'currency' }).of(code) ?? code}`;
  } catch {
    return code;
  }
}

export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  try {
    return new Intl.DisplayNames(locale(), { type: 'region' }).of(code) ?? code;
  } catch {
    return code;
  }
}
