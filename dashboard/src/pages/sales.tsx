// All sales, and what was taken back of them.

import type { JSX } from 'preact';
import type { Link } from '../api';
import type { PageProps } from '../page';
import { useData, usePages } from '../data';
import { dateTime, known, money, t } from '../i18n';
import { A, setQuery, usePlace } from '../router';
import { Chips, SpanControls } from '../report';
import { EntryBadge } from '../sales';
import { asked, choice } from '../span';
import { Pages } from './links';
import { Bones, Button, Card, Empty, Failed, PageHead, Segments, Shown, Tabs } from '../ui/parts';

interface SaleEvent {
  eventId: string; eventName: string; timestamp: string; saleAmount: number; link: Link | null;
  customer: { id: string; name: string; email: string }; sale: { amount: number; currency: string; paymentProcessor: string };
}
interface Booked { id: string; kind: string; at: string; amount: number; currency: string; reference: string | null; saleId: string | null }
const SIZE = 50;

export function Sales({ session, workspace }: PageProps): JSX.Element {
  const { query } = usePlace();
  const chosen = choice(query);
  const show = query.get('show') === 'back' ? 'back' : 'sales';
  return (
    <>
      <PageHead title={t('nav.sales')} about={t('sales.about')} actions={show === 'sales' && <SpanControls chosen={chosen} only />} />
      {show === 'sales' && <Chips chosen={chosen} />}
      <Card>
        <Tabs label={t('nav.sales')} value={show} set={(next) => setQuery({ show: next === 'back' ? 'back' : null, page: null })} options={[['sales', t('sales')], ['back', t('sales.back')]]} />
        {show === 'sales' ? <List currency={(workspace?.currency ?? session.currency).toLowerCase()} /> : <Back />}
      </Card>
    </>
  );
}

function List({ currency }: { currency: string }): JSX.Element {
  const { query } = usePlace();
  const page = Math.max(1, Number(query.get('page')) || 1);
  const attributed = query.get('attributed') ?? '';
  const { model: _model, gross: _gross, ...span } = asked(choice(query));
  const sales = useData<SaleEvent[]>('/events', { event: 'sales', ...span, attributed, page, limit: SIZE });
  return (
    <>
      <div class="card-head">
        <Segments label={t('sales.which')} value={attributed} set={(which) => setQuery({ attributed: which, page: null })} options={[['', t('all')], ['true', t('attributed')], ['false', t('unattributed.sales')]]} />
      </div>
      <Shown of={sales} bones={<Bones rows={7} height={38} />}>
        {(found) => found.length === 0 ? (
          <Empty icon="sales" title={t(attributed === 'false' ? 'sales.noneUnattributed' : 'sales.none')}>
            <p>{t(attributed === 'false' ? 'sales.noneUnattributed.text' : 'sales.none.text')}</p>
            {attributed !== 'false' && <A class="button" to="/stripe">{t('sales.connect')}</A>}
          </Empty>
        ) : (
          <>
            <div class="list-head sale-row" aria-hidden="true"><span>{t('filter.customer')}</span><span>{t('filter.linkId')}</span><span class="charged end">{t('sale.charged')}</span><span class="end">{t('sale.net')}</span><span /></div>
            <ul class="list">
              {found.map((one) => (
                <li key={one.eventId} class="sale-row">
                  <div class="who">
                    <A class="link-name cut" to={`/customers/${encodeURIComponent(one.customer.id)}`}>{one.customer.name}</A>
                    <p class="small muted cut">{known('event', one.eventName)} · {dateTime(one.timestamp)}</p>
                  </div>
                  <div class="where small">{one.link ? <A class="cut" to={`/links/${one.link.id}`}>/{one.link.key}</A> : <span class="badge warn">{t('unattributed')}</span>}</div>
                  <span class="charged num end muted"><span class="hide">{t('sale.charged')} </span>{money(one.sale.amount, one.sale.currency)}</span>
                  <span class="net num end strong"><span class="hide">{t('sale.net')} </span>{money(one.saleAmount, currency)}</span>
                  <A class="why button small" to={`/sales/${encodeURIComponent(one.eventId)}`}>{t(one.link ? 'receipt.whyShort' : 'receipt.whyNoneShort')}</A>
                </li>
              ))}
            </ul>
          </>
        )}
      </Shown>
      {(page > 1 || sales.data?.length === SIZE) && <div class="card-foot"><Pages page={page} full={sales.data?.length === SIZE} /></div>}
    </>
  );
}

/** Refunds, disputes and reinstatements, newest first. */
function Back(): JSX.Element {
  const entries = usePages<Booked>('/ledger/entries', { sortOrder: 'desc', withSales: false });
  return (
    <Shown of={entries} bones={<Bones rows={5} height={38} />}>
      {(found) => found.length === 0 ? (
        <Empty icon="refund" title={t('sales.back.none')}><p>{t('sales.back.none.text')}</p></Empty>
      ) : (
        <>
          <ul class="list">
            {found.map((entry) => (
              <li key={entry.id} class="back-row">
                <div class="kind"><EntryBadge kind={entry.kind} /></div>
                <span class="what small"><span class="mono break reference">{entry.reference ?? '–'}</span> <span class="muted nowrap">{dateTime(entry.at)}</span></span>
                <span class={`net num end strong ${entry.amount < 0 ? 'bad' : 'good'}`}>{money(entry.amount, entry.currency)}</span>
                {entry.saleId ? <A class="why button small" to={`/sales/${encodeURIComponent(entry.saleId)}`}>{t('receipt')}</A> : <A class="why button small" to="/stripe?tab=parked">{t('sales.back.waits')}</A>}
              </li>
            ))}
          </ul>
          {entries.error && <Failed error={entries.error} />}
          {entries.more && <div class="card-foot"><Button small disabled={entries.loading} onClick={entries.more}>{t(entries.loading ? 'loading' : 'showMore')}</Button></div>}
        </>
      )}
    </Shown>
  );
}
