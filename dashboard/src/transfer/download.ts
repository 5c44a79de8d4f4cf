// A list as a file, read as it comes, so that how far it is can be shown and a file that broke off is never saved.

import { ApiError, currentMode, queryText, type Query } from '../api';
import { t } from '../i18n';

export async function download(path: string, query: Query, signal: AbortSignal, told: (bytes: number) => void): Promise<string> {
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
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'export';
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = response.body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      told(bytes += part.value.length);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, 'broken', t('transfer.brokeOff'));
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: response.headers.get('content-type') ?? '' }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}
