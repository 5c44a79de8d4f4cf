// Links from a CSV file: rows, columns by their many names, and what is wrong with each line.

export type Value = string | boolean | string[];
export type LinkBody = Record<string, Value>;

/** A line of the file: what it asks for, or why it cannot be read. */
export interface Row { line: number; name: string; link: LinkBody; wrong?: Wrong }
export interface Wrong { kind: 'noUrl' | 'badUrl' | 'badFlag' | 'badDate' | 'twice' | 'tooMany'; column: string; value: string }
export interface Parsed { rows: Row[]; ignored: string[]; hasUrl: boolean }

const TEXTS = [
  'android', 'comments', 'description', 'domain', 'expiredUrl', 'expiresAt', 'externalId', 'image', 'ios', 'key', 'password', 'tenantId',
  'title', 'url', 'utm_campaign', 'utm_content', 'utm_medium', 'utm_source', 'utm_term', 'video',
];
const FLAGS = ['archived', 'doIndex', 'proxy', 'rewrite', 'trackConversion'];
const OTHER_NAMES: Record<string, string> = {
  destination: 'url', destinationurl: 'url', longurl: 'url', target: 'url', targeturl: 'url',
  shortlink: 'shortLink', shorturl: 'shortLink', link: 'shortLink', slug: 'key', backhalf: 'key', path: 'key',
  tags: 'tagNames', tagnames: 'tagNames', expires: 'expiresAt', expirationdate: 'expiresAt',
};

/** The API's name of a column; empty: we have no use for it. */
export function columnOf(header: string): string {
  const plain = header.toLowerCase().replace(/[^a-z0-9]/g, '');
  return OTHER_NAMES[plain] ?? [...TEXTS, ...FLAGS].find((name) => name.replace('_', '').toLowerCase() === plain) ?? '';
}

/** Cells of each line (RFC 4180, any line end), with the number of the line it begins on. */
export function cells(text: string): { line: number; cells: string[] }[] {
  const source = text.replace(/^\uFEFF/, '');
  const head = source.slice(0, source.search(/[\r\n]|$/));
  const delimiter = [',', ';', '\t'].map((one) => [one, head.split(one).length] as const).reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  const found: { line: number; cells: string[] }[] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  let wasQuoted = false;
  let line = 1;
  let begun = 1;
  const endCell = (): void => { row.push(wasQuoted ? cell : cell.trim()); cell = ''; wasQuoted = false; };
  const endRow = (): void => {
    endCell();
    if (row.some((one) => one !== '')) found.push({ line: begun, cells: row });
    row = [];
    begun = line;
  };
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at] as string;
    if (sign === '\n' || (sign === '\r' && source[at + 1] !== '\n')) line += 1;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (source[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (sign === '"' && cell.trim() === '' && !wasQuoted) { cell = ''; quoted = true; wasQuoted = true; }
    else if (sign === delimiter) endCell();
    else if (sign === '\n' || (sign === '\r' && source[at + 1] !== '\n')) endRow();
    else if (sign !== '\r' && !(wasQuoted && /\s/.test(sign))) cell += sign;
  }
  endRow();
  return found;
}

const withScheme = (text: string): string => (/^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[^/]*\.[^/]*:\d/.test(text) ? text : `https://${text}`);

function put(link: LinkBody, name: string, text: string): Wrong | undefined {
  if (name === 'shortLink') {
    const [domain = '', ...rest] = text.replace(/^[a-z]+:\/\//i, '').split('/');
    link.domain = domain;
    link.key = rest.join('/').replace(/^\/+|\/+$/g, '') || '_root';
  } else if (name === 'tagNames') {
    link.tagNames = text.split(',').map((tag) => tag.trim()).filter(Boolean);
  } else if (FLAGS.includes(name)) {
    if (!/^(true|yes|1|false|no|0)$/i.test(text)) return { kind: 'badFlag', column: name, value: text };
    link[name] = /^(true|yes|1)$/i.test(text);
  } else if (name === 'expiresAt' && Number.isNaN(Date.parse(text))) {
    return { kind: 'badDate', column: name, value: text };
  } else {
    link[name] = text;
  }
  return undefined;
}

/** Reads a file. `domain`: puts every link there instead. */
export function parse(text: string, domain = ''): Parsed {
  const [head, ...lines] = cells(text);
  const columns = (head?.cells ?? []).map(columnOf);
  const ignored = (head?.cells ?? []).filter((name, at) => name !== '' && columns[at] === '');
  const seen = new Map<string, number>();
  const rows = lines.map(({ line, cells: row }): Row => {
    const link: LinkBody = {};
    let wrong: Wrong | undefined;
    columns.forEach((name, at) => {
      const value = row[at] ?? '';
      if (name && value) wrong ??= put(link, name, value);
    });
    if (domain) link.domain = domain;
    const url = typeof link.url === 'string' ? link.url : '';
    if (!url) wrong ??= { kind: 'noUrl', column: 'url', value: '' };
    else if (!URL.canParse(withScheme(url))) wrong ??= { kind: 'badUrl', column: 'url', value: url };
    if (row.length > columns.length && row.slice(columns.length).some(Boolean)) wrong ??= { kind: 'tooMany', column: '', value: String(row.length) };
    const name = link.key ? `${String(link.domain ?? '')}/${String(link.key)}` : url;
    const destination = Object.entries(link).filter(([column]) => column === 'url' || column.startsWith('utm_')).map(([column, value]) => `${column}=${String(value)}`).sort().join(' ');
    for (const same of [link.key ? `k ${name.toLowerCase()}` : `u ${destination}`, link.externalId ? `e ${String(link.externalId)}` : '']) {
      if (!same) continue;
      const first = seen.get(same);
      if (first !== undefined) wrong ??= { kind: 'twice', column: same.startsWith('e') ? 'externalId' : '', value: String(first) };
      else if (!wrong) seen.set(same, line);
    }
    return { line, name, link, ...(wrong ? { wrong } : {}) };
  });
  return { rows, ignored, hasUrl: columns.includes('url') };
}
