// Applies a click id to the page, and again whenever the page or the id changes.

import { clickId } from "./click-id";

/** Calls `apply` with the id: now, after changes of the page, and before a click or a submission takes effect. */
export function watch(apply: (id: string) => void): void {
  let last: string | undefined;
  let isPlanned = false;
  const run = () => {
    isPlanned = false;
    last = clickId();
    if (last) apply(last);
  };
  new MutationObserver(() => {
    if (!isPlanned) setTimeout(run, 300);
    isPlanned = true;
  }).observe(document, { subtree: true, childList: true, attributes: true });
  addEventListener("click", run, true);
  addEventListener("submit", run, true);
  // An id comes with an answer or with consent, which no change of the page tells.
  setInterval(() => clickId() != last && run(), 500);
  run();
}

/** Sets a parameter of a link, unless it is set to that already. */
export function setParameter(link: HTMLAnchorElement, name: string, value: string): void {
  const url = new URL(link.href);
  if (url.searchParams.get(name) == value) return;
  url.searchParams.set(name, value);
  link.href = url.href;
}

/** The links of the page that lead to web pages. */
export function links(): HTMLAnchorElement[] {
  const all = [...document.querySelectorAll<HTMLAnchorElement>("a[href],area[href]")];
  return all.filter((link) => /^https?:$/.test(link.protocol));
}
