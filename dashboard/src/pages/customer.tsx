// One customer: everything that happened, by time.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { remove, type Customer, type Link } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { countryName, date, dateTime, known, money, number, t, type Word } from '../i18n';
import { shortName } from '../links';
import { A, go } from '../router';
import { said } from '../sentences';
import { initials } from './customers';
import type { Entry, Sale } from '../sales';
import { Icon, type IconName } from '../ui/icons';
import { Bones, Button, Card, Copy, Dialog, Empty, Failed, Note, PageHead, toast } from '../ui/parts';

interface Lead { id: string; eventName: string; timestamp: string; quantity: number; linkId: string | null; metadata: unknown }
type Full = Omit<Customer, 'leads' | 'sales'> & {
  leads: Lead[]; sales: Sale[]; refunds: Entry[]; leadCount: number; saleCount: number; ltv: number; externalIds: string[];
  touchpoints: { clickId: string; linkId: string; timestamp: string }[]; refusedClicks: { clickId: string; reason: string }[];
  subscriptions: { id: string; status?: string; canceledAt?: string | null }[]; stripeCustomerIds: { id: string }[];
};
/** What comes after what, within a second: Stripe's clock has no finer. */
const ORDER: readonly IconName[] = ['click', 'lead', 'money', 'refund', 'warn'];

function latestFirst(a: Moment, b: Moment): number {
  const second = (moment: Moment): number => Math.floor(Date.parse(moment.at) / 1000);
  return second(b) - second(a) || ORDER.indexOf(b.icon) - ORDER.indexOf(a.icon);
}

interface Moment { at: string; icon: IconName; colour: string; word: Word; text: JSX.Element | string; amount?: string; to?: string; metadata?: unknown }

export function CustomerPage({ id, session, workspace }: PageProps): JSX.Element {
  const customer = useData<Full>(`/customers/${encodeURIComponent(id)}`);
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<string>();
  const found = customer.data;
  if (!found) return customer.error ? <Card><Failed error={customer.error} retry={customer.reload} /></Card> : <Bones rows={5} height={60} />;
  const currency = (workspace?.currency ?? session.currency).toLowerCase();
  const moments: Moment[] = [
    ...found.touchpoints.map((touch): Moment => ({ at: touch.timestamp, icon: 'click', colour: 'accent', word: 'step.click', text: <LinkName id={touch.linkId} /> })),
    ...found.leads.map((lead): Moment => ({ at: lead.timestamp, icon: 'lead', colour: 'accent', word: 'step.lead', text: known('event', lead.eventName), metadata: lead.metadata })),
    ...found.sales.map((sale): Moment => ({ at: sale.timestamp, icon: 'money', colour: 'good', word: sale.receipt.rule === 'subscription' ? 'step.renewal' : 'step.sale', text: `${known('event', sale.eventName)} · ${sale.reference}`, amount: money(sale.amount, sale.currency), to: `/sales/${sale.id}` })),
    ...found.refunds.map((entry): Moment => ({ at: entry.timestamp, icon: entry.kind === 'dispute' ? 'warn' : 'refund', colour: entry.kind === 'dispute' ? 'bad' : entry.kind === 'reinstated' ? 'good' : 'warn', word: `entry.${entry.kind}` as Word, text: entry.reference ?? '', amount: money(entry.amount, entry.currency), ...(entry.saleId ? { to: `/sales/${entry.saleId}` } : {}) })),
  ].sort(latestFirst);
  return (
    <>
      <PageHead
        title={<span class="line"><span class="avatar" aria-hidden="true">{initials(found.name)}</span>{found.name}</span>}
        back={{ to: '/customers', word: 'nav.customers' }}
        actions={session.permissions.includes('customers.write') && <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>{t('customer.erase')}</Button>}
      />
      {failed && <Note kind="bad">{failed}</Note>}
      <Card>
        <div class="rates" style={{ borderTop: '0' }}>
          <div class="figure"><span class="name">{t('ltv')}</span><span class="value">{money(found.ltv, currency)}</span></div>
          <div class="figure"><span class="name">{t('sales')}</span><span class="value">{number(found.saleCount)}</span></div>
          <div class="figure"><span class="name">{t('clicks')}</span><span class="value">{number(found.touchpoints.length)}</span></div>
          <div class="figure"><span class="name">{t('customers.since')}</span><span class="value">{date(found.createdAt)}</span></div>
        </div>
      </Card>
      <div class="cols-main">
        <Card title={t('customer.journey')}>
          {moments.length === 0 ? <Empty low icon="events" title={t('customer.nothing')} /> : (
            <div class="card-body">
              <ol class="steps">
                {moments.map((moment, at) => (
                  <li key={at}>
                    <span class={`mark ${moment.colour}`}><Icon name={moment.icon} size={15} /></span>
                    <div>
                      <p class="spread"><span class="strong">{t(moment.word)}</span>{moment.amount && <span class="strong num">{moment.amount}</span>}</p>
                      <p class="spread small muted"><span class="break">{moment.text}</span><span class="nowrap">{dateTime(moment.at)}</span></p>
                      {moment.metadata !== null && moment.metadata !== undefined && <pre class="small muted break" style={{ whiteSpace: 'pre-wrap', margin: '4px 0 0' }}>{JSON.stringify(moment.metadata)}</pre>}
                      {moment.to && <A class="small" to={moment.to}>{t('receipt')}</A>}
                    </div>
                  </li>
                ))}
              </ol>
            </div>
          )}
        </Card>
        <div class="stack">
          <Card title={t('customer.about')}>
            <div class="card-body">
              <dl class="facts">
                {found.email && <><dt>{t('email')}</dt><dd>{found.email}</dd></>}
                {found.externalIds.map((one) => <><dt key={one}>{t('customer.externalId')}</dt><dd class="mono">{one}</dd></>)}
                {found.stripeCustomerIds.map((one) => <><dt key={one.id}>Stripe</dt><dd class="mono">{one.id}</dd></>)}
                {found.subscriptions.map((one) => <><dt key={one.id}>{t('sale.isSubscription')}</dt><dd><span class="mono">{one.id}</span> {(one.canceledAt || one.status) && <span class={`badge ${one.canceledAt ? '' : 'good'}`}>{one.canceledAt ? t('customer.canceled', { date: date(one.canceledAt) }) : known('subscription', one.status ?? '')}</span>}</dd></>)}
                {found.country && <><dt>{t('filter.country')}</dt><dd>{countryName(found.country)}</dd></>}
                {found.firstSaleAt && <><dt>{t('customer.firstSale')}</dt><dd>{date(found.firstSaleAt)}</dd></>}
                {found.link && <><dt>{t('filter.linkId')}</dt><dd><A to={`/links/${found.link.id}`}>{shortName(found.link)}</A></dd></>}
                <dt>ID</dt><dd class="line" style={{ justifyContent: 'flex-end' }}><span class="mono cut">{found.id}</span><Copy text={found.id} /></dd>
              </dl>
            </div>
          </Card>
          {found.refusedClicks.length > 0 && (
            <Card title={t('receipt.rejected')}>
              <ul class="list">{found.refusedClicks.map((one) => <li key={one.clickId}><div class="grow"><p class="mono cut">{one.clickId}</p><p class="small muted">{said(one.reason)}</p></div></li>)}</ul>
            </Card>
          )}
        </div>
      </div>
      <Dialog open={asking} close={() => setAsking(false)} title={t('customer.erase.title', { name: found.name })}>
        <p>{t('customer.erase.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={() => { remove(`/customers/${found.id}`).then(() => { toast(t('deleted')); go('/customers'); }).catch((error: unknown) => { setAsking(false); setFailed((error as Error).message); }); }}>{t('customer.erase')}</Button>
          <Button onClick={() => setAsking(false)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </>
  );
}

function LinkName({ id }: { id: string }): JSX.Element {
  const link = useData<Link>(`/links/${encodeURIComponent(id)}`);
  return link.data ? <A to={`/links/${id}`}>{shortName(link.data)}</A> : <span class="mono">{id}</span>;
}
