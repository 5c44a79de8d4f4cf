// What the scripts share with the page and with each other.

export type Options = Record<string, unknown>;

/** The attribute `data-domains`. */
export interface Domains {
  refer?: string;
  site?: string;
  outbound?: string | string[];
  embed?: { attributes?: string | string[] };
}

declare global {
  interface Window {
    _pimmsAnalytics?: {
      /** What is kept; without a name, the click id. */
      c: { get(name?: string): string | undefined; set(name: string, value: string): void };
      /** The name of the click id's cookie. */
      i: string;
      /** The page's host. */
      h: string;
      /** Where calls go. */
      a: string;
      /** The cookie's options. */
      o: Options;
      /** The short-link domain of partners. */
      d?: string;
      /** The attribution model. */
      m?: string;
      /** The name and value of the partner's parameter. */
      p: string;
      v: string | null;
      n: Domains;
    };
    pimms?: Options;
    pimms_id?: string | null;
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface Document {
    prerendering?: boolean;
    onprerenderingchange?: () => void;
  }
}
