// All customers.

import type { JSX } from 'preact';
import type { Customer } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { countryName, money, number, shortDate, t, type Word } from '../i18n';
import { A, setQuery, usePlace } from '../router';
import { Pages } from './links';
import { Bones, Card, Empty, ListHead, PageHead, Search, Select, Shown } from '../ui/parts';

const SIZE = 50;
const ORDERS = ['createdAt', 'saleAmount', 'firstSaleAt'] as const;

/** One or two letters of a name. */
export const initials = (name: string): string =>
  name.split(/[\s@._-]+/).filter(Boolean).slice(0, 2).map((part) => [...part][0]?.toUpperCase() ?? '').join('') || '?';

export function Customers({ session, workspace }: PageProps): JSX.Element {
  const { query } = usePlace();
  const page = Math.max(1, Number(query.get('page')) || 1);
  const search = query.get('search') ?? '';
  const sort = query.get('sort') ?? 'createdAt';
  const customers = useData<Customer[]>('/customers', { search, sortBy: sort, sortOrder: 'desc', page, pageSize: SIZE });
  const count = useData<number>('/customers/count', { search });
  const currency = (workspace?.currency ?? session.currency).toLowerCase();
  return (
    <>
      <PageHead title={t('nav.customers')} about={count.data !== undefined ? t('links.count', { n: number(count.data) }) : '\u00a0'} />
      <div class="wrap filters">
        <Search label={t('customers.search')} value={search} set={(text) => setQuery({ search: text, page: null })} />
        <Select label={t('sort')} value={sort} set={(next) => setQuery({ sort: next === 'createdAt' ? null : next, page: null })} options={ORDERS.map((name) => [name, t(`customers.${name}` as Word)])} />
      </div>
      <Card foot={page > 1 || customers.data?.length === SIZE ? <Pages page={page} full={customers.data?.length === SIZE} /> : undefined}>
        <Shown of={customers} bones={<Bones rows={7} height={42} />}>
          {(found) => found.length === 0 ? (
            <Empty icon="customers" title={t(search ? 'customers.noMatch' : 'customers.none')}><p>{t(search ? 'links.none.text' : 'customers.none.text')}</p>{!search && <A class="button" to="/stripe">{t('sales.connect')}</A>}</Empty>
          ) : (
            <>
            <ListHead first={t('filter.customer')} names={[t('leads'), t('sales'), t('customers.since'), t('ltv')]} />
            <ul class="list headed">
              {found.map((one) => (
                <li key={one.id}>
                  <span class="avatar" aria-hidden="true">{initials(one.name)}</span>
                  <div class="grow">
                    <A class="link-name" to={`/customers/${encodeURIComponent(one.id)}`}>{one.name}</A>
                    <p class="small muted cut">{[one.email !== one.name ? one.email : null, one.externalId, one.country ? countryName(one.country) : null, one.link ? `/${one.link.key}` : null].filter(Boolean).join(' · ') || '–'}</p>
                  </div>
                  <dl class="stats">
                    <div><dt>{t('leads')}</dt><dd>{number(Number(one.leads) || 0)}</dd></div>
                    <div><dt>{t('sales')}</dt><dd>{number(Number(one.sales) || 0)}</dd></div>
                    <div><dt>{t('customers.since')}</dt><dd class="small">{shortDate(one.createdAt)}</dd></div>
                    <div><dt>{t('ltv')}</dt><dd>{money(one.saleAmount, currency, true)}</dd></div>
                  </dl>
                </li>
              ))}
            </ul>
            </>
          )}
        </Shown>
      </Card>
    </>
  );
}
