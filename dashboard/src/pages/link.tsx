// One link: what it is, and what came of it.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { patch, remove, type Link } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { dateTime, t } from '../i18n';
import { qrAddress, shortName, shortUrl } from '../links';
import { QrDownloads } from '../qr';
import { Chips, Report, SpanControls } from '../report';
import { go, usePlace } from '../router';
import { choice } from '../span';
import { Icon } from '../ui/icons';
import { Bones, Button, Card, Copy, Dialog, Failed, Note, PageHead, Switch, toast } from '../ui/parts';

export function LinkPage({ session, workspace, id }: PageProps): JSX.Element {
  const { query } = usePlace();
  const link = useData<Link>(`/links/${encodeURIComponent(id)}`);
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<string>();
  const chosen = choice(query);
  const found = link.data;
  if (!found) return link.error ? <Card><Failed error={link.error} retry={link.reload} /></Card> : <Bones rows={5} height={60} />;
  const canWrite = session.permissions.includes('links.write');
  const kinds = [
    found.password && t('protected'), found.expiresAt && t('expires', { date: dateTime(found.expiresAt) }), found.ios && 'iOS', found.android && 'Android',
    found.geo && t('geo.n', { n: Object.keys(found.geo).length }), found.testVariants && t('ab'), found.rewrite && t('cloak'), found.archived && t('archived'),
  ].filter((kind): kind is string => Boolean(kind));
  return (
    <>
      <PageHead
        title={shortName(found)}
        back={{ to: '/links', word: 'nav.links' }}
        actions={
          <>
            <Copy small={false} text={shortUrl(found)} label={t('copy.link', { name: shortName(found) })} />
            {canWrite && <Button icon="edit" onClick={() => go(`/links/${found.id}/edit`)}>{t('edit')}</Button>}
            {canWrite && <Button kind="danger" icon="trash" label={t('delete')} onClick={() => setAsking(true)} />}
          </>
        }
      />
      {failed && <Note kind="bad">{failed}</Note>}
      <Card>
        <div class="card-body">
          <div class="line" style={{ alignItems: 'flex-start', gap: '16px' }}>
            <div class="qr"><img src={qrAddress(found, 'svg')} alt={t('qr.of', { name: shortName(found) })} width="96" height="96" style={{ width: '96px', height: '96px' }} /></div>
            <div class="grow stack-small">
              {found.title && <h2 class="break">{found.title}</h2>}
              {found.url ? <a class="line" href={found.url} target="_blank" rel="noreferrer noopener"><span class="cut">{found.url}</span><Icon name="external" size={14} /></a> : <span class="muted">{t('links.nowhere')}</span>}
              {found.comments && <p class="muted break">{found.comments}</p>}
              <div class="wrap">
                {kinds.map((kind) => <span key={kind} class="badge">{kind}</span>)}
                {found.tags.map((tag) => <span key={tag.id} class="badge accent tag">{tag.name}</span>)}
                <span class="muted small">{t('created', { date: dateTime(found.createdAt) })}{found.lastClicked ? ` · ${t('lastClicked', { date: dateTime(found.lastClicked) })}` : ''}</span>
              </div>
              <div class="wrap">
                <QrDownloads link={found} />
              </div>
            </div>
          </div>
        </div>
      </Card>
      <div class="wrap page-actions"><SpanControls chosen={chosen} /></div>
      <Chips chosen={{ ...chosen, filters: chosen.filters.filter(([name]) => name !== 'linkId') }} />
      <Report currency={(workspace?.currency ?? session.currency).toLowerCase()} fixed={{ linkId: found.id }} hideLinks />
      {canWrite && <PublicPage link={found} reload={link.reload} />}
      <Dialog open={asking} close={() => setAsking(false)} title={t('links.delete', { n: 1 })}>
        <p>{t('links.delete.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={() => { remove(`/links/${found.id}`).then(() => { toast(t('deleted')); go('/links'); }).catch((error: unknown) => { setAsking(false); setFailed((error as Error).message); }); }}>{t('delete')}</Button>
          <Button onClick={() => setAsking(false)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </>
  );
}

/** Whether anybody may see the link's clicks, and where. */
function PublicPage({ link, reload }: { link: Link; reload: () => void }): JSX.Element {
  const page = useData<{ id: string } | null>(`/links/${link.id}/dashboard`, { on: link.publicStats });
  const [failed, setFailed] = useState<string>();
  const set = (publicStats: boolean): void => {
    setFailed(undefined);
    patch(`/links/${link.id}`, { publicStats }).then(reload).catch((error: unknown) => setFailed((error as Error).message));
  };
  const address = link.publicStats && page.data ? `${location.origin}/app/share/${page.data.id}` : undefined;
  return (
    <Card title={t('public.title')}>
      <div class="card-body stack-small">
        {failed && <Note kind="bad">{failed}</Note>}
        <Switch on={link.publicStats} set={set}>{t('public.switch')}</Switch>
        <p class="muted small">{t('public.about')}</p>
        {address && (
          <div class="line">
            <a class="cut" href={address} target="_blank" rel="noreferrer noopener">{address}</a>
            <Copy text={address} label={t('copy.link', { name: t('public.title') })} />
          </div>
        )}
      </div>
    </Card>
  );
}
