// A sale and its receipt: why this link, or why none.

import type { JSX } from 'preact';
import type { Link } from './api';
import { date, dateTime, known, money, t, type Word } from './i18n';
import { shortName } from './links';
import { A } from './router';
import { said } from './sentences';
import { Icon, type IconName } from './ui/icons';
import { Card, Copy, Note } from './ui/parts';

export interface Entry { id: string; saleId: string | null; kind: string; timestamp: string; amount: number; currency: string; reference: string | null }

interface Step { kind: string; id: string; timestamp: string | null; linkId?: string; eventName?: string; externalId?: string | null; reference?: string }

export interface Receipt {
  ruleVersion: number; rule: string; explanation: string[]; references: string[];
  evidence: { eventId: string; eventType: string; timestamp: string; says: string }[];
  rejected: { clickId: string; reason: string }[]; mismatches: string[];
  presentment: { amount: number; currency: string } | null; clientReference: string | null;
  disputes: { id: string; status: string }[]; touchpoints: { clickId: string; linkId: string; timestamp: string }[]; chain: Step[];
}

export interface Sale {
  id: string; reference: string; invoiceId: string | null; timestamp: string; eventName: string; amount: number; currency: string; tax: number;
  refunded: number; disputed: number; net: number; saleAmount: number; paymentProcessor: string; subscriptionId: string | null; customerId: string;
  attributed: boolean; clickId: string | null; linkId: string | null; clickedAt: string | null; entries: Entry[]; receipt: Receipt;
}

const STEPS: Record<string, readonly [IconName, string]> = { click: ['click', 'accent'], lead: ['lead', 'accent'], customer: ['customers', ''], sale: ['money', 'good'] };

/** What an entry is, in a word and a colour. */
export function EntryBadge({ kind }: { kind: string }): JSX.Element {
  const colour = kind === 'sale' || kind === 'reinstated' ? 'good' : kind === 'dispute' ? 'bad' : 'warn';
  return <span class={`badge ${colour}`}>{known('entry', kind)}</span>;
}

export function ReceiptCard({ sale, link }: { sale: Sale; link: Link | null }): JSX.Element {
  const { receipt } = sale;
  return (
    <>
      <Card title={t(sale.attributed ? 'receipt.why' : 'receipt.whyNone')} actions={<span class={`badge ${sale.attributed ? 'good' : 'warn'}`}>{known('rule', receipt.rule)}</span>}>
        <div class="card-body">
          <p>{t(`why.${receipt.rule}` as Word, { date: dateTime(sale.clickedAt), link: link ? shortName(link) : '' })}</p>
          {receipt.explanation.map((line) => <p key={line} class="small muted break">{said(line)}</p>)}
          {!sale.attributed && (
            <Note>
              <p>{t('receipt.none.todo')} <A to="/stripe">{t('receipt.none.link')}</A></p>
            </Note>
          )}
          <ol class="steps">
            {receipt.chain.map((step) => {
              const [icon, colour] = STEPS[step.kind] ?? ['info', ''];
              return (
                <li key={step.kind + step.id}>
                  <span class={`mark ${colour}`}><Icon name={icon} size={15} /></span>
                  <div>
                    <p class="spread"><span class="strong">{known('step', step.kind)}</span><span class="muted small nowrap">{dateTime(step.timestamp)}</span></p>
                    <p class="small muted break">
                      {step.kind === 'click' && link ? <><A to={`/links/${link.id}`}>{shortName(link)}</A> · </> : null}
                      {step.kind === 'customer' ? <A to={`/customers/${encodeURIComponent(step.id)}`}>{step.externalId || step.id}</A> : <span class="mono">{step.eventName ? `${known('event', step.eventName)} · ` : ''}{step.reference ?? step.id}</span>}
                    </p>
                  </div>
                </li>
              );
            })}
          </ol>
        </div>
      </Card>
      {receipt.mismatches.length > 0 && <Note kind="warn">{receipt.mismatches.map((line) => <p key={line}>{said(line)}</p>)}</Note>}
      {receipt.rejected.length > 0 && (
        <Card title={t('receipt.rejected')}>
          <ul class="list">
            {receipt.rejected.map((one) => <li key={one.clickId}><div class="grow"><p class="mono cut">{one.clickId}</p><p class="small muted">{said(one.reason)}</p></div></li>)}
          </ul>
        </Card>
      )}
      <Card title={t('receipt.evidence')}>
        <ul class="list wide-first">
          {receipt.evidence.filter((piece, at) => receipt.evidence.findIndex((one) => one.eventId === piece.eventId && one.says === piece.says) === at).map((piece) => (
            <li key={piece.eventId + piece.says}>
              <div class="grow"><p class="strong break">{piece.eventType}</p><p class="small muted break">{said(piece.says)} · <span class="mono">{piece.eventId}</span></p></div>
              <span class="muted small nowrap">{dateTime(piece.timestamp)}</span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}

/** What was charged, given back, and stays. */
export function SumCard({ sale, into }: { sale: Sale; into: string }): JSX.Element {
  const cash = (amount: number): string => money(amount, sale.currency);
  return (
    <Card title={t('sale.amounts')}>
      <div class="card-body">
        <dl class="sum">
          <dt>{t('sale.charged')}</dt><dd>{cash(sale.amount)}</dd>
          {sale.tax > 0 && <><dt class="muted">{t('sale.tax')}</dt><dd class="muted">{cash(sale.tax)}</dd></>}
          {sale.refunded !== 0 && <><dt>{t('sale.refunded')}</dt><dd class="bad">−{cash(sale.refunded)}</dd></>}
          {sale.disputed !== 0 && <><dt>{t('sale.disputed')}</dt><dd class="bad">−{cash(sale.disputed)}</dd></>}
          <dt class="total">{t('sale.net')}</dt><dd class="total">{cash(sale.net)}</dd>
          {sale.currency.toLowerCase() !== into && <><dt class="muted">{t('sale.converted')}</dt><dd class="muted">{money(sale.saleAmount, into)}</dd></>}
          {sale.receipt.presentment && <><dt class="muted">{t('sale.presentment')}</dt><dd class="muted">{money(sale.receipt.presentment.amount, sale.receipt.presentment.currency)}</dd></>}
        </dl>
      </div>
      {sale.entries.length > 1 && (
        <ul class="list">
          {sale.entries.map((entry) => (
            <li key={entry.id}><EntryBadge kind={entry.kind} /><span class="grow muted small">{date(entry.timestamp)}</span><span class="num strong">{money(entry.amount, entry.currency)}</span></li>
          ))}
        </ul>
      )}
      {sale.receipt.disputes.length > 0 && <div class="card-foot">{sale.receipt.disputes.map((one) => <span key={one.id} class="line"><span class="mono">{one.id}</span><span class="badge warn">{known('dispute', one.status)}</span></span>)}</div>}
    </Card>
  );
}

export function ReferencesCard({ sale }: { sale: Sale }): JSX.Element {
  return (
    <Card title={t('sale.references')}>
      <ul class="list">
        {[...new Set([sale.id, ...sale.receipt.references])].map((name) => <li key={name}><span class="mono cut grow">{name}</span><Copy text={name} label={t('copy.link', { name })} /></li>)}
      </ul>
    </Card>
  );
}

/** Of one sale in a list. */
export function saleBadges(sale: Sale): { word: Word; colour: string }[] {
  return [
    ...(sale.attributed ? [] : [{ word: 'unattributed' as Word, colour: 'warn' }]),
    ...(sale.refunded > 0 ? [{ word: (sale.refunded >= sale.amount ? 'sale.isRefunded' : 'sale.isPartRefunded') as Word, colour: 'warn' }] : []),
    ...(sale.disputed > 0 ? [{ word: 'sale.isDisputed' as Word, colour: 'bad' }] : []),
    ...(sale.subscriptionId ? [{ word: 'sale.isSubscription' as Word, colour: 'accent' }] : []),
  ];
}
