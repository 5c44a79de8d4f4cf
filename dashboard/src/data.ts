// What a page shows is loaded, or failed, or is there; what was there stays while the next is loading.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError, get, queryText, type Query } from './api';

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload: () => void;
}

/** Reads `path`; `null`: nothing yet. */
export function useData<T>(path: string | null, query: Query = {}, refreshMs = 0): Loaded<T> {
  const name = path === null ? null : path + queryText(query);
  const [state, setState] = useState<{ name: string | null; data?: T; error?: ApiError; loading: boolean }>({ name: null, loading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const control = new AbortController();
    let timer = 0;
    const load = (): void => {
      get<T>(path, query, control.signal)
        .then((data) => setState({ name, data, loading: false }))
        .catch((error: unknown) => {
          if (control.signal.aborted) return;
          const told = error instanceof ApiError ? error : new ApiError(0, 'broken', String(error));
          setState((old) => ({ name, ...(old.data === undefined || old.name !== name ? {} : { data: old.data }), error: told, loading: false }));
        })
        .finally(() => {
          if (refreshMs > 0 && !control.signal.aborted) timer = window.setTimeout(() => (document.hidden ? schedule() : load()), refreshMs);
        });
    };
    const schedule = (): void => {
      timer = window.setTimeout(() => (document.hidden ? schedule() : load()), refreshMs);
    };
    setState((old) => ({ ...old, loading: true }));
    load();
    return () => {
      control.abort();
      window.clearTimeout(timer);
    };
  }, [name, round, refreshMs]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}

export interface Paged<T> extends Loaded<T[]> {
  /** Reads what follows; not there when nothing does. */
  more: (() => void) | undefined;
}

/** Reads a list page by page: each begins after the last row of the one before, so that new rows shift nothing. */
export function usePages<T extends { id: string }>(path: string, query: Query, size = 50): Paged<T> {
  const first = useData<T[]>(path, { ...query, limit: size });
  const [rest, setRest] = useState<{ of?: T[]; rows: T[]; isEnd: boolean; error?: ApiError }>({ rows: [], isEnd: false });
  const [loading, setLoading] = useState(false);
  // What was read after another first page is of no use.
  const mine = rest.of === first.data ? rest : { rows: [], isEnd: false };
  const rows = first.data && [...first.data, ...mine.rows];
  const isFull = first.data?.length === size && !mine.isEnd;
  const more = (): void => {
    setLoading(true);
    get<T[]>(path, { ...query, limit: size, startingAfter: rows?.at(-1)?.id })
      .then((page) => setRest({ of: first.data, rows: [...mine.rows, ...page], isEnd: page.length < size }))
      .catch((error: unknown) => setRest({ ...mine, of: first.data, error: error as ApiError }))
      .finally(() => setLoading(false));
  };
  return { data: rows, error: first.error ?? mine.error, loading: first.loading || loading, reload: first.reload, more: isFull ? more : undefined };
}
