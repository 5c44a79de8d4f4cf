// Puts the click id where a link asks for it (`pimms_id=1`), and where payment and booking pages keep it.

import { links, setParameter, watch } from "./watch";

/** A parameter whose value 1 asks for the id; the parameter that gets it, and what stands before the id. */
const PLACES = [
  ["pimms_client_reference_id", "client_reference_id", "pimms_id_"],
  ["dub_client_reference_id", "client_reference_id", "pimms_id_"],
  ["pimms_id", "pimms_id", ""],
  ["dub_id", "dub_id", ""],
  ["utm_term", "utm_term", ""],
];
/** Hosts that get it unasked, unless the link has a value of its own. */
const HOSTS = [
  [/^buy\.stripe\.com$/, "client_reference_id", "pimms_id_"],
  [/(^|\.)cal\.com$/, "pimms_id", ""],
  [/(^|\.)iclosed\.io$/, "utm_term", ""],
] as const;

/** What was set on a link, to be renewed when the id changes. */
const ours = new WeakMap<HTMLAnchorElement, Map<string, string>>();

function decorate(link: HTMLAnchorElement, id: string): void {
  const set = ours.get(link) || new Map<string, string>();
  const url = new URL(link.href);
  for (const [asking, name, before] of PLACES)
    if (url.searchParams.get(asking) == "1") {
      set.set(name, before);
      if (asking != name) {
        url.searchParams.delete(asking);
        link.href = url.href;
      }
    }
  for (const [host, name, before] of HOSTS)
    if (host.test(url.hostname) && !url.searchParams.has(name)) set.set(name, before);
  for (const [name, before] of set) setParameter(link, name, before + id);
  ours.set(link, set);
}

watch((id) => {
  for (const link of links()) decorate(link, id);
  for (const element of document.querySelectorAll("stripe-buy-button,stripe-pricing-table"))
    if (!element.hasAttribute("client-reference-id")) element.setAttribute("client-reference-id", "pimms_id_" + id);
});
