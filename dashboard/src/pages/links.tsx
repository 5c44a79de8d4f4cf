// All links: found by words, folder and tag; changed several at once.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, type Folder, type Link, type Tag } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { money, number, t, type Word } from '../i18n';
import { hostOf, shortName, shortUrl } from '../links';
import { LabelsDialog } from '../labels';
import { A, go, setQuery, usePlace } from '../router';
import { Icon } from '../ui/icons';
import { Bones, Button, Card, Copy, Dialog, Empty, ListHead, Note, PageHead, Search, Select, Shown, toast } from '../ui/parts';

const ORDERS = ['createdAt', 'clicks', 'leads', 'sales', 'saleAmount', 'lastClicked'] as const;
/** Tags of a link that its row names; the rest is counted. */
const TAGS_SHOWN = 2;
const SIZE = 50;

export function Links({ session, workspace }: PageProps): JSX.Element {
  const { query } = usePlace();
  const wanted = (name: string): string => query.get(name) ?? '';
  const search = wanted('search');
  const page = Math.max(1, Number(wanted('page')) || 1);
  const filter = { search, tagIds: wanted('tagId'), folderId: wanted('folderId'), showArchived: wanted('archived'), inFolders: true };
  const links = useData<Link[]>('/links', { ...filter, sortBy: wanted('sort') || 'createdAt', sortOrder: 'desc', page, pageSize: SIZE });
  const count = useData<number>('/links/count', filter);
  const tags = useData<Tag[]>('/tags', { pageSize: 100 });
  const folders = useData<Folder[]>('/folders');
  const [chosen, setChosen] = useState<string[]>([]);
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<string>();
  const currency = (workspace?.currency ?? session.currency).toLowerCase();
  useEffect(() => setChosen([]), [query.toString()]);
  const isNarrowed = Boolean(search || filter.tagIds || filter.folderId);
  const reload = (): void => { setChosen([]); links.reload(); count.reload(); };
  const bulk = (change: Promise<unknown>): void => {
    setFailed(undefined);
    change.then((told) => {
      // Each link is changed, or refused, as if alone.
      const refused = Array.isArray(told) ? (told as { error?: string }[]).filter((one) => one.error) : [];
      if (refused.length > 0) setFailed(t('links.refused', { n: refused.length, why: refused[0]?.error ?? '' }));
      if (refused.length < chosen.length) toast(t('links.changed', { n: chosen.length - refused.length }));
      reload();
    }).catch((error: unknown) => setFailed((error as Error).message));
  };
  const change = (data: Record<string, unknown>, linkIds: readonly string[] = chosen): Promise<unknown[]> => call('PATCH', '/links/bulk', {}, { linkIds, data });
  /** The API replaces tags: those with the same ones beforehand are changed together. */
  const addTag = async (id: string): Promise<unknown[]> => {
    const alike = new Map<string, string[]>();
    for (const link of links.data ?? []) {
      if (!chosen.includes(link.id)) continue;
      const tagIds = [...new Set([...link.tags.map((tag) => tag.id), id])].sort().join();
      alike.set(tagIds, [...(alike.get(tagIds) ?? []), link.id]);
    }
    return (await Promise.all([...alike].map(([tagIds, linkIds]) => change({ tagIds: tagIds.split(',') }, linkIds)))).flat();
  };
  const allArchived = chosen.length > 0 && (links.data ?? []).every((link) => link.archived || !chosen.includes(link.id));
  const [labelling, setLabelling] = useState(false);
  const may = (name: string): boolean => session.permissions.includes(name);
  const canWrite = may('links.write');
  const canLabel = may('tags.write') || may('folders.write');
  return (
    <>
      <PageHead title={t('nav.links')} about={count.data !== undefined ? t('links.count', { n: number(count.data) }) : '\u00a0'} actions={<>{canLabel && <Button icon="tag" onClick={() => setLabelling(true)}>{t('labels.title')}</Button>}{canWrite && <Button kind="primary" icon="plus" onClick={() => go('/links/new')}>{t('links.new')}</Button>}</>} />
      <div class="wrap filters">
        <Search label={t('links.search')} value={search} set={(text) => setQuery({ search: text, page: null })} />
        <Select label={t('folder')} value={filter.folderId} set={(id) => setQuery({ folderId: id, page: null })} options={[['', t('folder.all')], ...(folders.data ?? []).map((one): [string, string] => [one.id, one.name])]} />
        <Select label={t('tag')} value={filter.tagIds} set={(id) => setQuery({ tagId: id, page: null })} options={[['', t('tag.all')], ...(tags.data ?? []).map((one): [string, string] => [one.id, one.name])]} />
        <Select label={t('sort')} value={wanted('sort') || 'createdAt'} set={(sort) => setQuery({ sort: sort === 'createdAt' ? null : sort, page: null })} options={ORDERS.map((name) => [name, t(`sort.${name}` as Word)])} />
        <Select label={t('links.which')} value={filter.showArchived} set={(which) => setQuery({ archived: which, page: null })} options={[['', t('links.active')], ['true', t('links.withArchived')]]} />
      </div>
      {failed && <Note kind="bad">{failed}</Note>}
      {chosen.length > 0 && (
        <div class="card card-head">
          <span class="strong">{t('links.chosen', { n: chosen.length })}</span>
          <div class="wrap bulk">
            <Select label={t('tag.add')} value="" set={(id) => id && bulk(addTag(id))} options={[['', t('tag.add')], ...(tags.data ?? []).map((one): [string, string] => [one.id, one.name])]} />
            <Select label={t('links.move')} value="" set={(id) => id && bulk(change({ folderId: id === 'none' ? null : id }))} options={[['', t('links.move')], ['none', t('folder.none')], ...(folders.data ?? []).map((one): [string, string] => [one.id, one.name])]} />
            <Button icon="archive" onClick={() => bulk(change({ archived: !allArchived }))}>{t(allArchived ? 'links.restore' : 'archive')}</Button>
            <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>{t('delete')}</Button>
            <Button kind="quiet" onClick={() => setChosen([])}>{t('cancel')}</Button>
          </div>
        </div>
      )}
      <Card foot={links.data && (page > 1 || links.data.length === SIZE) ? <Pages page={page} full={links.data.length === SIZE} /> : undefined}>
        <Shown of={links} bones={<Bones rows={6} height={46} />}>
          {(found) => found.length === 0 ? (
            isNarrowed ? (
              <Empty icon="search" title={t('links.none')}><p>{t('links.none.text')}</p><Button onClick={() => setQuery({ search: null, tagId: null, folderId: null, page: null })}>{t('filter.clear')}</Button></Empty>
            ) : (
              <Empty icon="links" title={t('overview.first')}><p>{t('overview.first.text')}</p>{canWrite && <Button kind="primary" icon="plus" onClick={() => go('/links/new')}>{t('links.new')}</Button>}</Empty>
            )
          ) : (
            <>
            <ListHead
              lead={canWrite && <label class="tick"><input type="checkbox" aria-label={t('links.chooseAll')} checked={chosen.length === found.length} onChange={(event) => setChosen(event.currentTarget.checked ? found.map((link) => link.id) : [])} /></label>}
              first={t('filter.linkId')} names={[t('clicks'), t('leads'), t('sales'), t('revenue')]}
            />
            <ul class="list headed">
              {found.map((link) => (
                <li key={link.id}>
                  {canWrite && <label class="tick"><input type="checkbox" aria-label={t('links.choose', { name: shortName(link) })} checked={chosen.includes(link.id)} onChange={(event) => setChosen(event.currentTarget.checked ? [...chosen, link.id] : chosen.filter((id) => id !== link.id))} /></label>}
                  <div class="grow stack-none">
                    <div class="line">
                      <A class="link-name cut" to={`/links/${link.id}`}>{shortName(link)}</A>
                      <Copy text={shortUrl(link)} label={t('copy.link', { name: shortName(link) })} />
                      {link.password && <span class="badge"><Icon name="lock" size={12} />{t('protected')}</span>}
                      {link.archived && <span class="badge">{t('archived')}</span>}
                      {link.expiresAt && new Date(link.expiresAt) < new Date() && <span class="badge warn">{t('expired')}</span>}
                    </div>
                    <div class="line small tagged">
                      <span class="muted cut">{link.title ? <span class="strong">{link.title} · </span> : null}{hostOf(link.url) ? `→ ${link.url.replace(/^https?:\/\//, '')}` : t('links.nowhere')}</span>
                      {link.tags.slice(0, TAGS_SHOWN).map((tag) => <span key={tag.id} class="badge accent tag" title={tag.name}>{tag.name}</span>)}
                      {link.tags.length > TAGS_SHOWN && <span class="badge" title={link.tags.slice(TAGS_SHOWN).map((tag) => tag.name).join(', ')}>+{link.tags.length - TAGS_SHOWN}</span>}
                    </div>
                  </div>
                  <dl class="stats">
                    <div><dt>{t('clicks')}</dt><dd>{number(link.clicks)}</dd></div>
                    <div><dt>{t('leads')}</dt><dd>{number(link.leads)}</dd></div>
                    <div><dt>{t('sales')}</dt><dd>{number(link.sales)}</dd></div>
                    <div><dt>{t('revenue')}</dt><dd>{money(link.saleAmount, currency, true)}</dd></div>
                  </dl>
                </li>
              ))}
            </ul>
            </>
          )}
        </Shown>
      </Card>
      <LabelsDialog open={labelling} close={() => { setLabelling(false); links.reload(); }} folders={folders} tags={tags} may={may} />
      <Dialog open={asking} close={() => setAsking(false)} title={t('links.delete', { n: chosen.length })}>
        <p>{t('links.delete.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={() => { setAsking(false); bulk(call('DELETE', '/links/bulk', { linkIds: chosen.join(',') })); }}>{t('delete')}</Button>
          <Button onClick={() => setAsking(false)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </>
  );
}

/** To the page before and after. */
export function Pages({ page, full }: { page: number; full: boolean }): JSX.Element {
  return (
    <>
      <Button small icon="left" disabled={page <= 1} onClick={() => setQuery({ page: page <= 2 ? null : String(page - 1) })}>{t('before')}</Button>
      <span class="muted small">{t('page', { n: page })}</span>
      <Button small disabled={!full} onClick={() => setQuery({ page: String(page + 1) })}>{t('after')}</Button>
    </>
  );
}
