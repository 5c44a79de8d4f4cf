// One sale, and why it is whose it is.

import type { JSX } from 'preact';
import type { Customer, Link } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { dateTime, known, money, t } from '../i18n';
import { A } from '../router';
import { ReceiptCard, ReferencesCard, saleBadges, SumCard, type Sale } from '../sales';
import { Bones, Card, Failed, PageHead } from '../ui/parts';

export function SalePage({ id, session, workspace }: PageProps): JSX.Element {
  const sale = useData<Sale & { customer: Customer | null; link: Link | null }>(`/sales/${encodeURIComponent(id)}`);
  const found = sale.data;
  if (!found) return sale.error ? <Card><Failed error={sale.error} retry={sale.reload} /></Card> : <Bones rows={5} height={60} />;
  return (
    <>
      <PageHead
        title={money(found.net, found.currency)}
        back={{ to: '/sales', word: 'nav.sales' }}
        about={<span class="wrap"><span>{known('event', found.eventName)} · {dateTime(found.timestamp)}</span>{found.customer && <A to={`/customers/${encodeURIComponent(found.customer.id)}`}>{found.customer.name}</A>}{saleBadges(found).map((badge) => <span key={badge.word} class={`badge ${badge.colour}`}>{t(badge.word)}</span>)}</span>}
      />
      <div class="cols-main">
        <div class="stack"><ReceiptCard sale={found} link={found.link} /></div>
        <div class="stack"><SumCard sale={found} into={(workspace?.currency ?? session.currency).toLowerCase()} /><ReferencesCard sale={found} /></div>
      </div>
    </>
  );
}
