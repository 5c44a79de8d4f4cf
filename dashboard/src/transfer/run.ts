// Takes links over: what is not there is made, what is there as asked is left alone. A short link that leads elsewhere
// is never overwritten.
//
// Links with a short link of their own go many at a time, and one that is taken is compared; links without go one by
// one, as an upsert by their destination, which takes the line's other values over. Either way asking again
// finds what the first time made, so a run that was cancelled or broke off is simply begun anew.

import { ApiError, call, get, type Link } from '../api';
import type { LinkBody, Row } from './csv';

export interface Outcome { read: number; created: number; unchanged: number; refused: { line: number; name: string; why: string }[]; isWhole: boolean }
export interface Progress { done: number; of: number }

const MANY = 50;
const AT_ONCE = 4;
const ATTEMPTS = 7;

interface Refusal { link: LinkBody; error: string; code: string }

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { window.clearTimeout(timer); reject(signal.reason); }, { once: true });
  });

/** Asks again while there are too many requests, or nobody answers: asking twice makes nothing twice. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      const again = error instanceof ApiError && [0, 429, 500, 502, 503, 504].includes(error.status) && attempt < ATTEMPTS;
      if (!again) throw error;
      await pause(Math.min(30_000, 500 * 2 ** attempt), signal);
    }
  }
}

const address = (value: unknown): string => {
  const text = String(value ?? '').trim();
  return (text.includes('://') || text === '' ? text : `https://${text}`).replace(/\/+$/, '');
};

/** The fields in which a link is not as asked for. */
export function differences(wanted: LinkBody, there: Link): string[] {
  const of = there as unknown as Record<string, unknown>;
  return Object.entries(wanted).filter(([name, value]) => {
    if (name === 'domain' || name === 'key') return false;
    if (name === 'password') return !of.password;
    if (name === 'externalId') return String(of.externalId).replace(/^ext_/, '') !== String(value).replace(/^ext_/, '');
    if (name === 'tagNames') return there.tags.map((tag) => tag.name).sort().join('\n') !== [...(value as string[])].sort().join('\n');
    if (name === 'expiresAt') return Date.parse(String(value)) !== Date.parse(String(of.expiresAt));
    if (['url', 'expiredUrl', 'ios', 'android'].includes(name)) return address(value) !== address(name === 'url' ? bare(there, wanted) : of[name]);
    return of[name] !== value;
  }).map(([name]) => name);
}

/** The destination without the UTM values that the line has in columns of their own. */
function bare(there: Link, wanted: LinkBody): string {
  try {
    const url = new URL(there.url);
    const asked = new URL(address(wanted.url));
    for (const name of Object.keys(wanted)) if (name.startsWith('utm_') && !asked.searchParams.has(name)) url.searchParams.delete(name);
    return url.toString();
  } catch {
    return there.url;
  }
}

/** Takes the rows over; `told` hears how far it is. Rows that cannot be read are refused without being sent. */
export async function run(rows: readonly Row[], signal: AbortSignal, told: (progress: Progress) => void, words: { different: (fields: string) => string }): Promise<Outcome> {
  const outcome: Outcome = { read: rows.length, created: 0, unchanged: 0, refused: [], isWhole: false };
  const good = rows.filter((row) => !row.wrong);
  let done = 0;
  const refuse = (row: Row, why: string): void => void outcome.refused.push({ line: row.line, name: row.name, why });
  const step = (count = 1): void => told({ done: done += count, of: good.length });

  const compare = async (row: Row, why: string): Promise<void> => {
    const { domain, key, externalId } = row.link as Record<string, string>;
    try {
      const query = domain && key ? { domain, key } : externalId ? { externalId: `ext_${externalId}` } : undefined;
      if (!query) return refuse(row, why);
      const there = await patiently(() => get<Link>('/links/info', query, signal), signal);
      const fields = differences(row.link, there);
      if (fields.length > 0) refuse(row, words.different(fields.join(', ')));
      else outcome.unchanged += 1;
    } catch (error) {
      if (signal.aborted) throw error;
      refuse(row, why);
    }
  };

  /** Many at once. A line that spoils the request is taken out, and the others go again. */
  const many = async (batch: Row[]): Promise<void> => {
    let left = batch;
    while (left.length > 0) {
      const sent = left;
      let answer: (Link | Refusal)[];
      try {
        answer = await patiently(() => call<(Link | Refusal)[]>('POST', '/links/bulk', {}, sent.map((row) => row.link), signal), signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError) || error.status === 401 || error.status === 403) throw error;
        const at = Number(/\[(\d+)\]/.exec(`${error.field} ${error.message}`)?.[1] ?? (sent.length === 1 ? 0 : NaN));
        const spoiler = sent[at];
        if (spoiler) {
          refuse(spoiler, error.message.replace(/^.*\[\d+\]\.?/, ''));
          step();
          left = sent.filter((row) => row !== spoiler);
          continue;
        }
        for (const row of sent) await many([row]);
        return;
      }
      const refusals = answer.filter((one): one is Refusal => 'error' in one);
      const waiting = new Map(sent.map((row) => [JSON.stringify(row.link), row]));
      outcome.created += answer.length - refusals.length;
      for (let at = 0; at < refusals.length; at += AT_ONCE) {
        await Promise.all(refusals.slice(at, at + AT_ONCE).map(async ({ link, error, code }) => {
          const row = waiting.get(JSON.stringify(link)) ?? sent.find((one) => one.link.key === link.key && one.link.domain === link.domain);
          if (!row) return;
          if (code === 'conflict') await compare(row, error);
          else refuse(row, error);
        }));
      }
      step(sent.length);
      return;
    }
  };

  /** By its destination: made, or found. What is newer than the newest link before this run was made by it. */
  const [newest] = await get<Link[]>('/links', { sortBy: 'createdAt', pageSize: '1', showArchived: 'true' }, signal);
  const single = async (row: Row): Promise<void> => {
    try {
      const link = await patiently(() => call<Link>('PUT', '/links/upsert', {}, row.link, signal), signal);
      if (!newest || Date.parse(link.createdAt) > Date.parse(newest.createdAt)) outcome.created += 1;
      else outcome.unchanged += 1;
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError) || error.status === 401) throw error;
      refuse(row, error.message);
    }
    step();
  };

  told({ done: 0, of: good.length });
  rows.filter((row) => row.wrong).forEach((row) => refuse(row, ''));
  try {
    const named = good.filter((row) => row.link.key);
    for (let at = 0; at < named.length; at += MANY) await many(named.slice(at, at + MANY));
    const nameless = good.filter((row) => !row.link.key);
    for (let at = 0; at < nameless.length; at += AT_ONCE) await Promise.all(nameless.slice(at, at + AT_ONCE).map(single));
    outcome.isWhole = true;
  } catch (error) {
    if (!signal.aborted) throw Object.assign(error as Error, { outcome });
  }
  outcome.refused.sort((a, b) => a.line - b.line);
  return outcome;
}
