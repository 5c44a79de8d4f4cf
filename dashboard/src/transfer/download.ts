// A list as a file, read as it comes, so that how far it is can be shown and a file that broke off is never saved.

import { ApiError, currentMode, queryText, type Query } from '../api';
import { t } from '../i18n';

const LINE_FEED = 10;

export async function download(path: string, query: Query, signal: AbortSignal, told: (bytes: number) => void): Promise<string> {
  const parts: BlobPart[] = [];
  let [bytes, cursor, name, type] = [0, '', '', ''];
  // A long list comes as several files; the head of the first one is that of all.
  do {
    const response = await answer(path, cursor ? { ...query, cursor } : query, signal);
    name ||= (/filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'export').replace('-part-', '-');
    type ||= response.headers.get('content-type') ?? '';
    let isHead = cursor !== '' && type.startsWith('text/csv');
    const reader = response.body.getReader();
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const end = isHead ? part.value.indexOf(LINE_FEED) : -1;
        if (!isHead || end >= 0) parts.push(part.value.subarray(end + 1));
        isHead &&= end < 0;
        told(bytes += part.value.length);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      throw new ApiError(0, 'broken', t('transfer.brokeOff'));
    }
    cursor = response.headers.get('x-next-cursor') ?? '';
  } while (cursor);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}

async function answer(path: string, query: Query, signal: AbortSignal): Promise<Response & { body: ReadableStream<Uint8Array<ArrayBuffer>> }> {
  let response: Response;
  try {
    response = await fetch(`/api${path}${queryText(currentMode() === 'test' ? { mode: 'test', ...query } : query)}`, { signal, credentials: 'same-origin' });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, 'offline', t('error.offline'));
  }
  if (!response.ok || !response.body) {
    const answer = (await response.json().catch(() => null)) as { error?: { code: string; message: string } } | null;
    throw new ApiError(response.status, answer?.error?.code ?? 'unknown', answer?.error?.message ?? t('error.unreadable', { status: response.status }));
  }
  return response as Response & { body: ReadableStream<Uint8Array<ArrayBuffer>> };
}
