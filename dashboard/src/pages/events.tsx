// What happens, as it happens.

import type { JSX } from 'preact';
import type { Link } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { ago, countryName, dateTime, known, money, t } from '../i18n';
import { A, setQuery, usePlace } from '../router';
import { Chips, IntervalControls } from '../report';
import { EntryBadge } from '../sales';
import { asked, choice } from '../span';
import { Icon, type IconName } from '../ui/icons';
import { Bones, Card, Empty, PageHead, Shown, Tabs } from '../ui/parts';
import type { Word } from '../i18n';

interface Event {
  event: string; timestamp: string; click_id: string; eventId?: string; eventName?: string; link: Link | null; metadata?: unknown;
  click: { country: string; city: string; device: string; browser: string; os: string; referer: string; trigger: string } | null;
  customer?: { id: string; name: string }; entry?: { kind: string; amount: number; currency: string; saleId: string | null }; sale?: { amount: number; currency: string };
}
const KINDS = ['all', 'clicks', 'leads', 'sales', 'refunds', 'disputes'] as const;
const ICONS: Record<string, readonly [IconName, string]> = { click: ['click', ''], lead: ['lead', 'accent'], sale: ['money', 'good'], refund: ['refund', 'warn'], dispute: ['warn', 'bad'], reinstated: ['check', 'good'] };
/** How often the stream is asked for what is new. */
const REFRESH_MS = 4000;

export function Events(_: PageProps): JSX.Element {
  const { query } = usePlace();
  const kind = KINDS.find((name) => name === query.get('kind')) ?? 'all';
  const chosen = choice(query);
  const { model: _model, gross: _gross, ...span } = asked(chosen);
  const events = useData<Event[]>('/events', { event: kind, ...span, limit: 100 }, REFRESH_MS);
  return (
    <>
      <PageHead title={t('nav.events')} about={<span class="line"><i class="dot" style={{ borderRadius: '50%', background: 'var(--good)' }} />{t('events.live')}</span>} actions={<IntervalControls chosen={chosen} />} />
      <Chips chosen={chosen} />
      <Card>
        <Tabs label={t('nav.events')} value={kind} set={(next) => setQuery({ kind: next === 'all' ? null : next })} options={KINDS.map((name) => [name, t(`events.${name}` as Word)])} />
        <Shown of={kind !== 'all' && events.data?.[0] && `${events.data[0].event}s` !== kind ? { ...events, data: undefined } : events} bones={<Bones rows={8} height={40} />}>
          {(found) => found.length === 0 ? (
            kind === 'refunds' || kind === 'disputes' ? <Empty icon="refund" title={t('events.none')}><p>{t('sales.back.none.text')}</p></Empty>
              : <Empty icon="events" title={t('events.none')}><p>{t('events.none.text')}</p><A class="button" to="/links">{t('nav.links')}</A></Empty>
          ) : (
            <ul class="list">
              {found.map((one) => {
                const [icon, colour] = ICONS[one.entry?.kind === 'reinstated' ? 'reinstated' : one.event] ?? ['info', ''];
                const place = one.click && one.click.country !== 'Unknown' ? [one.click.city !== 'Unknown' ? one.click.city : null, countryName(one.click.country)].filter(Boolean).join(', ') : null;
                return (
                  <li key={(one.eventId ?? '') + one.click_id + one.timestamp}>
                    <span class={`avatar square ${colour}`} aria-hidden="true"><Icon name={icon} size={17} /></span>
                    <div class="grow">
                      <p class="wrap" style={{ gap: '4px 8px' }}>
                        {one.customer ? <A class="link-name" to={`/customers/${encodeURIComponent(one.customer.id)}`}>{one.customer.name}</A> : null}
                        {one.entry ? <EntryBadge kind={one.entry.kind} /> : one.eventName ? <span>{known('event', one.eventName)}</span> : null}
                        {one.link ? <A class={one.customer ? '' : 'link-name'} to={`/links/${one.link.id}`}>/{one.link.key}</A> : <span class="badge warn">{t('unattributed')}</span>}
                        {one.click?.trigger === 'qr' && <span class="badge">{t('trigger.qr')}</span>}
                      </p>
                      <p class="small muted break">{[place, ...(one.click && one.click.device !== 'Unknown' ? [known('device', one.click.device.toLowerCase()), one.click.browser === 'Unknown' ? null : one.click.browser, known('referer', one.click.referer)] : [])].filter(Boolean).join(' · ')}</p>
                      {one.metadata !== null && one.metadata !== undefined && <p class="mono muted break">{JSON.stringify(one.metadata)}</p>}
                    </div>
                    <div class="amount-when">
                      {one.entry && (one.entry.saleId ? <A class="strong num" to={`/sales/${encodeURIComponent(one.entry.saleId)}`}>{money(one.entry.amount, one.entry.currency)}</A> : <span class="strong num">{money(one.entry.amount, one.entry.currency)}</span>)}
                      {one.sale && one.event === 'sale' && <A class="strong num" to={`/sales/${encodeURIComponent(one.eventId ?? '')}`}>{money(one.sale.amount, one.sale.currency)}</A>}
                      <time class="muted small nowrap" dateTime={one.timestamp} title={dateTime(one.timestamp)}>{ago(one.timestamp)}</time>
                    </div>
                  </li>
                );
              })}
            </ul>
          )}
        </Shown>
      </Card>
    </>
  );
}
