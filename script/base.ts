// What every script does: keeps the click that a visitor came with.
//
// Until the visitor's choice is known nothing is stored and nothing is sent. Who chose no, or whose browser says so
// (Global Privacy Control), is counted without any id.
//
// Written for few bytes after compression; a test holds the limit.

import type { Domains, Options } from "./global";

/** Whether this file reports visits that no partner and no short link brought; set by the build. */
declare const SITE_VISIT: boolean;

const page = document;
const { src, dataset: settings } = page.currentScript as HTMLScriptElement;
const ID = "pimms_id";
const VISITOR = "pimms_anonymous_id";

function json(text?: string): Options {
  try {
    return JSON.parse(text!) || {};
  } catch {
    return {};
  }
}

const domains: Domains = json(settings.domains);
const refer = domains.refer || settings.shortDomain;
const query = new URL(location as unknown as string).searchParams;
const parameter = settings.queryParam || "via";
const via = query.get(parameter);
const model = settings.attributionModel;
// Beside the script, unless told.
const api = settings.apiHost || src.replace(/\/[^/]*$/, "");
const options = json(settings.cookieOptions);
const refuses = navigator.globalPrivacyControl && settings.gpc != "ignore";
// Before this script has loaded, `window.pimms = { consent: true }` says what the function below says later.
let choice: unknown = refuses ? 0 : settings.consent ? self.pimms?.consent : 1;

// What cannot be a cookie lasts as long as the tab, else as long as the page.
let store: Record<string, string> = {};
try {
  store = sessionStorage;
} catch {}

function get(name = ID): string | undefined {
  if (choice) return page.cookie.match(name + "=([\\w-]+)")?.[1] || store[name];
}

// Stores on the widest domain that the browser allows, which no list needs to tell, and removes it from those below.
// No value: removes it from all.
function set(name: string, value: string): void {
  const pair = name + "=" + value;
  if (value && page.cookie.match(pair)) return;
  let end = value ? "" : ";max-age=0";
  // Of two attributes of a name the last one counts, so options come last.
  let attributes =
    ";path=/;samesite=lax;max-age=" +
    (options.maxAge || 864e2 * ((options.expiresInDays as number) || 90)) +
    (location.protocol > "http:" ? ";secure" : "");
  for (const option in options) if (options[option]) attributes += ";" + option + "=" + options[option];
  location.hostname.split(".").map((_, at, labels) => {
    page.cookie = pair + ";domain=" + labels.slice(~at).join(".") + attributes + end;
    if (!options.domain && page.cookie.match(pair)) end = ";max-age=0";
  });
  store[name] = end ? "" : value;
}

function keep(id?: string | null): void {
  if (choice && !(model == "first-click" && get()) && id?.match(/^[\w-]{8,}$/)) set(ID, id);
}

function post(path: string, domain?: string, key?: string | null): void {
  if (choice && !get(VISITOR)) set(VISITOR, "anon_" + Math.random().toFixed(16).slice(2));
  // As text, which needs no preflight.
  fetch(api + "/track/" + path, {
      method: "POST",
      keepalive: true,
      body: JSON.stringify({
        // In an order that compresses well.
        referrer: page.referrer,
        model,
        url: location.href,
        anonymousId: get(VISITOR),
        anonymous: !choice,
        clickId: get(),
        key,
        domain,
      }),
    })
    .then((answer) => answer.json())
    .then((answer) => keep(answer.clickId), () => {});
}

function run(): void {
  if (choice == undefined || page.prerendering) return;
  const given = query.get(ID);
  if (given) {
    keep(given);
    // Through the page's own site: there the answer sets a cookie that lasts longer than a script's.
    if (get() && !api.indexOf(location.origin + "/")) post("keep");
  } else if (via && refer) post("click", refer, via);
  else if (SITE_VISIT && domains.site && !get()) post("visit", domains.site);
}

self._pimmsAnalytics = {
  a: api,
  i: ID,
  h: location.hostname,
  n: domains,
  p: parameter,
  o: options,
  v: via,
  d: refer,
  m: model,
  c: { get, set },
};
self.pimms = {
  consent(yes: boolean) {
    choice = yes && !refuses;
    if (!choice) {
      set(ID, "");
      set(VISITOR, "");
    }
    run();
  },
};
// A page that is loaded ahead is nobody's visit before somebody looks at it.
page.onprerenderingchange = run;
run();

export { domains, get, settings };
