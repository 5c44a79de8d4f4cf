// Hands the click id on to the merchant's other sites, and to no other site.

import { domains, settings } from "./base";
import { links, setParameter, watch } from "./watch";

const bare = (host: string) => host.toLowerCase().replace(/^www\./, "");
const own = bare(location.hostname);
const wanted = [domains.outbound || []]
  .flat()
  .flatMap((list) => list.split(","))
  .map((host) => bare(host.trim()))
  .filter((host) => host && host != own);
// Where no cookie can be kept, the address is all that leads from page to page.
const forwards = settings.forwardAll == "true" || !navigator.cookieEnabled;

function isWanted(link: HTMLAnchorElement): boolean {
  const host = bare(link.hostname);
  if (host == own) return forwards && !link.getAttribute("href")!.startsWith("#");
  return wanted.some((name) => (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host == name));
}

if (wanted.length || forwards)
  watch((id) => {
    for (const link of links()) if (isWanted(link)) setParameter(link, "pimms_id", id);
  });
