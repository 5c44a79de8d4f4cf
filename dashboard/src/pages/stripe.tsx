// Stripe: is it connected, what became of its events, what waits, and the code that passes the id.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { currentMode, put, type Link } from '../api';
import type { PageProps } from '../page';
import { useData, type Loaded } from '../data';
import { ago, dateTime, known, money, t, type Word } from '../i18n';
import { A, setQuery, usePlace } from '../router';
import { said, saidAs, SENTENCES } from '../sentences';
import { LANGUAGES, snippets, type CodeLanguage } from '../snippets';
import { SiteStep } from './site-check';
import { Icon } from '../ui/icons';
import { Bones, Button, Card, Code, Copy, Empty, Note, PageHead, Search, Segments, Shown, Tabs, TextField, toast } from '../ui/parts';

interface LogRow { id: string; type: string; created: string; receivedAt: string; deliveries: number; verdict: string; customerId: string | null; sales: string[] }
interface ParkedRow { id: string; kind: string; at: string; reference: string | null; eventId: string; eventType?: string; amount: number | null; currency: string | null; reason: string }
interface Settings { signingSecrets: { mode: string; lastFour: string }[]; webhookPath: string }

const TABS = ['connect', 'code', 'log', 'parked'] as const;
const EVENTS = [
  'checkout.session.completed', 'checkout.session.async_payment_succeeded', 'checkout.session.async_payment_failed', 'checkout.session.expired',
  'invoice.paid', 'invoice.voided', 'invoice_payment.paid', 'payment_intent.succeeded', 'charge.succeeded', 'charge.refunded',
  'refund.created', 'refund.updated', 'refund.failed', 'charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated', 'charge.dispute.closed', 'customer.created', 'customer.updated', 'customer.deleted',
  'customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted',
];

export function Stripe({ session }: PageProps): JSX.Element {
  const { query } = usePlace();
  const tab = TABS.find((name) => name === query.get('tab')) ?? 'connect';
  const parked = useData<ParkedRow[]>('/parked');
  const log = useData<LogRow[]>('/stripe/events', { limit: 200 }, tab === 'log' || tab === 'connect' ? 5000 : 0);
  const waiting = parked.data?.length ?? 0;
  return (
    <>
      <PageHead title={t('nav.stripe')} about={t('stripe.about')} />
      <Card>
        <Tabs label={t('nav.stripe')} value={tab} set={(next) => setQuery({ tab: next === 'connect' ? null : next, find: null })} options={TABS.map((name) => [name, t(`stripe.tab.${name}` as Word) + (name === 'parked' && waiting > 0 ? ` (${waiting})` : '')])} />
        {tab === 'connect' && <Connect log={log} canWrite={session.permissions.includes('workspaces.write')} />}
        {tab === 'code' && <CodeTab />}
        {tab === 'log' && <Log log={log} find={query.get('find') ?? ''} />}
        {tab === 'parked' && <Parked parked={parked} />}
      </Card>
    </>
  );
}

/** Where a step that is not done yet goes on. */
const TODO: Partial<Record<Word, readonly [string, Word]>> = {
  'stripe.step.links': ['/links/new', 'links.new'],
  'stripe.step.attributed': ['/stripe?tab=code', 'receipt.none.link'],
};

function Connect({ log, canWrite }: { log: Loaded<LogRow[]>; canWrite: boolean }): JSX.Element {
  const settings = useData<Settings>('/stripe');
  const links = useData<Link[]>('/links', { pageSize: 100, sortBy: 'clicks', sortOrder: 'desc', inFolders: true });
  const sales = useData<{ link: Link | null }[]>('/events', { event: 'sales', interval: '1y', limit: 50 });
  const [secrets, setSecrets] = useState<Record<'live' | 'test', string>>({ live: '', test: '' });
  const [wrong, setWrong] = useState<{ live?: string; test?: string }>({});
  const mode = currentMode();
  // The API replaces all secrets at once: a mode that is left out would lose its own.
  const save = (event: Event): void => {
    event.preventDefault();
    const told: { live?: string; test?: string } = {};
    for (const name of ['live', 'test'] as const) {
      const text = secrets[name].trim();
      if (text && !/^whsec_\S{8,}$/.test(text)) told[name] = t('stripe.secret.wrong');
      else if (!text && settings.data?.signingSecrets.some((one) => one.mode === name)) told[name] = t('stripe.secret.both');
    }
    if (!secrets.live.trim() && !secrets.test.trim()) told[mode] = t('stripe.secret.wrong');
    setWrong(told);
    if (told.live || told.test) return;
    const signingSecrets = (['live', 'test'] as const).filter((name) => secrets[name].trim()).map((name) => ({ mode: name, secret: secrets[name].trim() }));
    put('/stripe', { signingSecrets })
      .then(() => { setSecrets({ live: '', test: '' }); toast(t('saved')); settings.reload(); })
      .catch((error: unknown) => setWrong({ [mode]: (error as Error).message }));
  };
  return (
    <Shown of={settings} bones={<Bones rows={5} height={54} />}>
      {(found) => {
        const own = found.signingSecrets.filter((one) => one.mode === mode);
        const tracking = (links.data ?? []).filter((link) => link.trackConversion).length;
        const last = log.data?.[0];
        const attributed = (sales.data ?? []).filter((sale) => sale.link).length;
        const address = location.origin + found.webhookPath;
        const steps: readonly (readonly [Word, boolean | undefined, string])[] = [
          ['stripe.step.links', links.data && tracking > 0, tracking > 0 ? t('stripe.step.links.ok', { n: tracking }) : t('stripe.step.links.todo')],
          ['stripe.step.secret', own.length > 0, own[0] ? t('stripe.step.secret.ok', { end: own[0].lastFour }) : t('stripe.step.secret.todo')],
          ['stripe.step.events', log.data && last !== undefined, last ? t('stripe.step.events.ok', { ago: ago(last.receivedAt), type: last.type }) : t('stripe.step.events.todo')],
          ['stripe.step.attributed', sales.data && attributed > 0, attributed > 0 ? t('stripe.step.attributed.ok', { n: attributed, all: sales.data?.length ?? 0 }) : t('stripe.step.attributed.todo')],
        ];
        return (
          <div class="card-body" style={{ gap: '22px' }}>
            <ol class="steps">
              <SiteStep at={1} />
              {steps.map(([word, done, text], at) => (
                <li key={word}>
                  <span class={`mark ${done ? 'good' : done === undefined ? '' : 'warn'}`}>{done ? <Icon name="check" size={15} /> : at + 2}</span>
                  <div><p class="strong">{t(word)}</p><p class="muted">{text}</p>{!done && TODO[word] && <A class="small" to={TODO[word][0]}>{t(TODO[word][1])}</A>}</div>
                </li>
              ))}
            </ol>
            <div class="field">
              <span class="label">{t('stripe.address')}</span>
              <div class="line"><code class="input cut address">{address}</code><Copy small={false} text={address} label={t('copy.link', { name: t('stripe.address') })} /></div>
            </div>
            {canWrite && (
              <form onSubmit={save} noValidate class="stack-small">
                <div class="pair-fields">
                  {(['live', 'test'] as const).map((name) => (
                    <TextField key={name} label={t(name === 'live' ? 'stripe.secret.live' : 'stripe.secret.test')} type="password" autocomplete="off" placeholder="whsec_…" value={secrets[name]} set={(text) => { setSecrets({ ...secrets, [name]: text }); setWrong({}); }} wrong={wrong[name]} hint={t('stripe.secret.stored', { ends: found.signingSecrets.filter((one) => one.mode === name).map((one) => `…${one.lastFour}`).join(', ') || '–' })} />
                  ))}
                </div>
                <p class="small muted">{t('stripe.secret.hint')}</p>
                <div><Button type="submit" kind="primary">{t('save')}</Button></div>
              </form>
            )}
            <details class="more boxed">
              <summary>{t('stripe.events.list')}<Icon class="turn" name="down" size={16} /></summary>
              <div class="wrap">{EVENTS.map((name) => <code key={name} class="badge">{name}</code>)}</div>
            </details>
          </div>
        );
      }}
    </Shown>
  );
}

function CodeTab(): JSX.Element {
  const [language, setLanguage] = useState<CodeLanguage>('node');
  const code = snippets(language, `${location.origin}/api`);
  return (
    <div class="card-body">
      <div class="spread"><p class="muted">{t('stripe.code.about')}</p></div>
      <div><Segments label={t('stripe.code.language')} options={LANGUAGES} value={language} set={setLanguage} /></div>
      <h3>{t('stripe.code.lead')}</h3><Code text={code.lead} />
      <h3>{t('stripe.code.checkout')}</h3><Code text={code.checkout} />
      <h3>{t('stripe.code.create')}</h3><Code text={code.create} />
      <h3>{t('stripe.code.update')}</h3><Code text={code.update} />
      <h3>{t('stripe.code.link')}</h3><p class="muted">{t('stripe.code.link.text')}</p>
    </div>
  );
}

/** What became of an event, as a colour. */
function colour(verdict: string): string {
  if (/^parked|unattributed/.test(verdict) || verdict.includes('unattributed')) return 'warn';
  if (verdict.startsWith('ignored')) return '';
  return /disconnected|failed/.test(verdict) ? 'bad' : 'good';
}

function Log({ log, find }: { log: Loaded<LogRow[]>; find: string }): JSX.Element {
  return (
    <>
      <div class="card-head"><Search label={t('stripe.log.filter')} value={find} set={(text) => setQuery({ find: text })} /></div>
      <Shown of={log} bones={<Bones rows={8} height={40} />}>
        {(all) => {
          const words = find.toLowerCase();
          const found = all.filter((row) => `${row.id} ${row.type} ${row.verdict} ${said(row.verdict)}`.toLowerCase().includes(words));
          if (found.length === 0) return <Empty icon="stripe" title={t(find ? 'links.none' : 'stripe.log.none')}><p>{t(find ? 'links.none.text' : 'stripe.log.none.text')}</p></Empty>;
          return (
            <ul class="list wide-first">
              {found.map((row) => (
                <li key={row.id}>
                  <div class="grow">
                    <p class="wrap" style={{ gap: '2px 8px' }}><span class="strong break">{row.type}</span><span class="mono muted">{row.id}</span></p>
                    <p class="line top-line small verdict">
                      <i class="dot" style={{ borderRadius: '50%', background: { warn: 'var(--warn)', good: 'var(--good)', bad: 'var(--bad)', '': 'var(--previous)' }[colour(row.verdict)] }} />
                      <span class="break">{said(row.verdict)}</span>
                      {row.deliveries > 1 && <span class="badge">{t('stripe.log.deliveries', { n: row.deliveries })}</span>}
                    </p>
                  </div>
                  {row.sales[0] && <A class="button small" to={`/sales/${encodeURIComponent(row.sales[0])}`}>{t('receipt')}</A>}
                  <time class="muted small nowrap" dateTime={row.receivedAt} title={dateTime(row.receivedAt)}>{ago(row.receivedAt)}</time>
                </li>
              ))}
            </ul>
          );
        }}
      </Shown>
    </>
  );
}

function Parked({ parked }: { parked: Loaded<ParkedRow[]> }): JSX.Element {
  return (
    <Shown of={parked} bones={<Bones rows={4} height={40} />}>
      {(found) => found.length === 0 ? (
        <Empty icon="check" title={t('stripe.parked.none')}><p>{t('stripe.parked.none.text')}</p></Empty>
      ) : (
        <>
          <div class="card-body"><Note>{t('stripe.parked.about')}</Note></div>
          <ul class="list wide-first">
            {found.map((row) => (
              <li key={row.id}>
                <div class="grow">
                  <p class="wrap" style={{ gap: '2px 8px' }}><span class="badge warn">{known('parked', row.kind)}</span><span class="strong">{saidAs(SENTENCES, row.reason) ?? t('parked.unusable')}</span></p>
                  {saidAs(SENTENCES, row.reason) === undefined && <p class="small muted break">{row.reason}</p>}
                  <p class="mono muted break">{[row.eventType, row.reference, row.eventId].filter(Boolean).join(' · ')}</p>
                </div>
                {row.amount !== null && row.currency && <span class="strong num">{money(row.amount, row.currency)}</span>}
                <time class="muted small nowrap" dateTime={row.at} title={dateTime(row.at)}>{ago(row.at)}</time>
              </li>
            ))}
          </ul>
        </>
      )}
    </Shown>
  );
}
