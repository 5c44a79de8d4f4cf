// The first step of connecting: is the browser script on the site, and does it report?

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api';
import { ago, dateTime, number, t, type Word } from '../i18n';
import { Icon } from '../ui/icons';
import { Button, Code, Note, TextField } from '../ui/parts';

interface Tag { src: string; attributes: [string, string][]; faults: string[] }
interface Check {
  status: 'found' | 'faulty' | 'absent' | 'not_public' | 'unreachable' | 'moving' | 'status' | 'not_html';
  httpStatus: number | null; url: string | null; tags: Tag[]; tagManager: boolean;
  reports: { host: string; count: number; first: string | null; last: string | null } | null;
}

const shown = (tag: Tag): string =>
  `<script ${[...tag.attributes, ['src', tag.src] as const].map(([name, value]) => (value ? `${name}='${value}'` : name)).join(' ')}></script>`;

export function SiteStep({ at }: { at: number }): JSX.Element {
  const [site, setSite] = useState(() => localStorage.getItem('site') ?? '');
  const [found, setFound] = useState<Check>();
  const [failed, setFailed] = useState<string>();
  const [busy, setBusy] = useState(false);
  const look = (event?: Event): void => {
    event?.preventDefault();
    setFailed(undefined);
    if (!site.trim()) return setFailed(t('site.empty'));
    setBusy(true);
    get<Check>('/script/check', { url: site.trim() })
      .then((check) => { setFound(check); localStorage.setItem('site', site.trim()); })
      .catch((error: unknown) => { setFound(undefined); setFailed((error as Error).message); })
      .finally(() => setBusy(false));
  };
  // Known from before: looked at again, as the other steps are.
  useEffect(() => { if (site.trim()) look(); }, []);
  const reports = found?.reports?.count ? found.reports : undefined;
  const done = found && (found.status === 'found' || reports !== undefined);
  return (
    <li>
      <span class={`mark ${done ? 'good' : found ? 'warn' : ''}`}>{done ? <Icon name="check" size={15} /> : at}</span>
      <div class="stack-small">
        <div><p class="strong">{t('site.title')}</p><p class="muted">{t('site.about')}</p></div>
        <form onSubmit={look} noValidate class="line top-line">
          <div class="grow"><TextField label={t('site.url')} type="url" placeholder="https://example.com" value={site} set={(text) => { setSite(text); setFailed(undefined); }} wrong={failed} autocomplete="off" inputMode="url" /></div>
          <div class="beside-field"><Button type="submit" disabled={busy}>{t(busy ? 'site.busy' : 'site.check')}</Button></div>
        </form>
        <div role="status" class="stack-small">
          {found && <Outcome of={found} />}
        </div>
        {found && !done && found.status === 'absent' && <Code text={`<script defer src="${location.origin}/analytics/script.js"></script>`} />}
      </div>
    </li>
  );
}

function Outcome({ of }: { of: Check }): JSX.Element {
  const reports = of.reports;
  const kind = of.status === 'found' ? 'good' : reports?.count ? '' : 'warn';
  return (
    <>
      <Note kind={kind}>
        <p>{t(`site.${of.status}` as Word, { url: of.url ?? '', status: of.httpStatus ?? '' })}</p>
        {of.status === 'absent' && of.tagManager && <p>{t('site.tagManager')}</p>}
      </Note>
      {of.tags.map((tag) => (
        <div key={shown(tag)} class="stack-small">
          <Code text={shown(tag)} />
          {tag.faults.map((fault) => <p key={fault} class="wrong">{t(`site.fault.${fault}` as Word, { host: location.host })}</p>)}
          {tag.attributes.some(([name, value]) => name === 'data-consent' && value === 'required') && <p class="small muted">{t('site.consent')}</p>}
        </div>
      ))}
      {reports && (
        <p class="small">
          {reports.count > 0 && reports.first && reports.last
            ? t('site.reports', { host: reports.host, n: number(reports.count), first: dateTime(reports.first), last: ago(reports.last) })
            : t('site.reports.none', { host: reports.host })}
        </p>
      )}
    </>
  );
}
