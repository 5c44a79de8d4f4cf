// Addresses below /app, without a reload.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const BASE = '/app';
const listeners = new Set<() => void>();

export interface Place { path: string; query: URLSearchParams }

export function here(): Place {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, '') || '/';
  return { path, query: new URLSearchParams(location.search) };
}

export function go(to: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', BASE + to);
  for (const listener of listeners) listener();
  if (!replace) window.scrollTo(0, 0);
}

/** Changes the query of this page; an empty value goes. */
export function setQuery(changes: Record<string, string | null>): void {
  const { path, query } = here();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(path + (text ? `?${text}` : ''), true);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const listener = (): void => setPlace(here());
    listeners.add(listener);
    window.addEventListener('popstate', listener);
    return () => {
      listeners.delete(listener);
      window.removeEventListener('popstate', listener);
    };
  }, []);
  return place;
}

/** Where what comes next begins: for the keyboard and for who listens, when what was focused has gone. */
export const toContent = (): void => document.getElementById('content')?.focus({ preventScroll: true });

type LinkProps = { class?: string; 'aria-current'?: 'page' } & { to: string; children?: ComponentChildren };

/** A link inside the dashboard. */
export function A({ to, children, ...rest }: LinkProps): JSX.Element {
  return (
    <a
      {...rest}
      href={BASE + to}
      onClick={(event: MouseEvent) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
