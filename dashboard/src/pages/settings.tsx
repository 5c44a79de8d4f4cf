// The workspace, its domains and its API keys.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, post, remove } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { ago, t, type Word } from '../i18n';
import { A, toContent } from '../router';
import { Sessions } from './sessions';
import { Webhooks } from './webhooks';
import { WorkspaceCard } from './workspace';
import { Bones, Button, Card, Code, Dialog, Field, Note, PageHead, Shown, TextField, toast } from '../ui/parts';

interface Domain { slug: string; verified: boolean; primary: boolean }
interface Key { id: string; name: string; partialKey: string; scopes: string[]; lastUsed: string | null; expiresAt: string | null; token?: string }

export function Settings({ session, workspace, refresh }: PageProps): JSX.Element {
  const may = (name: string): boolean => session.permissions.includes(name);
  return (
    <>
      <PageHead title={t('nav.settings')} about={t('settings.about')} />
      {workspace && <WorkspaceCard workspace={workspace} canWrite={may('workspaces.write')} refresh={refresh} />}
      {/* What is below comes with it, or it would be pushed down. */}
      {workspace || !may('workspaces.read') ? (
        <>
          <Domains canWrite={may('domains.write')} />
          {may('tokens.read') && <Keys canWrite={may('tokens.write')} own={session.keyId} />}
          {may('webhooks.read') && <Webhooks canWrite={may('webhooks.write')} />}
          <Card title={t('transfer.title')} actions={<A class="button small" to="/settings/data">{t('transfer.open')}</A>}>
            <p class="card-body muted">{t('transfer.about')}</p>
          </Card>
          <Sessions session={session} />
        </>
      ) : (
        <Card><Bones rows={9} height={52} /></Card>
      )}
    </>
  );
}

function Domains({ canWrite }: { canWrite: boolean }): JSX.Element {
  const domains = useData<Domain[]>('/domains');
  const [name, setName] = useState('');
  const [failed, setFailed] = useState<string>();
  const [leaving, setLeaving] = useState<Domain | null>(null);
  const act = (change: Promise<unknown>): Promise<void> => change.then(() => { toast(t('saved')); domains.reload(); }).catch((error: unknown) => setFailed((error as Error).message));
  const add = (event: Event): void => {
    event.preventDefault();
    setFailed(undefined);
    if (name.trim()) void act(post('/domains', { slug: name.trim().toLowerCase() }).then(() => setName('')));
  };
  return (
    <Card title={t('settings.domains')}>
      {failed && <div class="card-body"><Note kind="bad">{failed}</Note></div>}
      <Shown of={domains} bones={<Bones rows={2} height={40} />}>
        {(found) => (
          <ul class="list wide-first">
            {found.map((domain) => (
              <li key={domain.slug}>
                <div class="grow wrap"><span class="strong break">{domain.slug}</span>{domain.primary && <span class="badge accent">{t('settings.primary')}</span>}<span class={`badge ${domain.verified ? 'good' : 'warn'}`}>{t(domain.verified ? 'settings.verified' : 'settings.unverified')}</span></div>
                {canWrite && (
                  <div class="wrap">
                    {!domain.verified && <Button small onClick={() => void act(get(`/domains/${encodeURIComponent(domain.slug)}/verify`))}>{t('settings.verify')}</Button>}
                    {!domain.primary && <Button small onClick={() => void act(post(`/domains/${encodeURIComponent(domain.slug)}/primary`, {}))}>{t('settings.makePrimary')}</Button>}
                    {!domain.primary && <Button small kind="danger" icon="trash" label={t('settings.domain.delete', { name: domain.slug })} onClick={() => setLeaving(domain)} />}
                  </div>
                )}
              </li>
            ))}
          </ul>
        )}
      </Shown>
      {canWrite && (
        <form class="card-body" onSubmit={add} noValidate style={{ borderTop: '1px solid var(--line)' }}>
          <div class="line top-line">
            <div class="grow"><TextField label={t('settings.domain.new')} placeholder="go.example.com" value={name} set={setName} hint={t('settings.domain.hint')} autocomplete="off" /></div>
            <div class="beside-field"><Button type="submit" icon="plus">{t('settings.add')}</Button></div>
          </div>
        </form>
      )}
      <Dialog open={leaving !== null} close={() => setLeaving(null)} title={t('settings.domain.delete', { name: leaving?.slug ?? '' })}>
        <p>{t('settings.domain.delete.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={() => { const slug = leaving?.slug ?? ''; setLeaving(null); void act(remove(`/domains/${encodeURIComponent(slug)}`)).then(toContent); }}>{t('delete')}</Button>
          <Button onClick={() => setLeaving(null)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </Card>
  );
}

const SCOPES: readonly (readonly [string, Word, readonly string[]])[] = [
  ['apis.all', 'settings.scope.apis.all', ['apis.all']],
  ['apis.read', 'settings.scope.apis.read', ['apis.read']],
  ['links.write', 'settings.scope.links.write', ['links.write']],
  ['track', 'settings.scope.track', ['lead.write', 'sale.write']],
];

function Keys({ canWrite, own }: { canWrite: boolean; own: string }): JSX.Element {
  const keys = useData<Key[]>('/tokens');
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<string>();
  const [name, setName] = useState('');
  const [scope, setScope] = useState('apis.all');
  const [failed, setFailed] = useState<string>();
  const [leaving, setLeaving] = useState<Key | null>(null);
  useEffect(() => setFailed(undefined), [asking]);
  const create = (event: Event): void => {
    event.preventDefault();
    post<Key>('/tokens', { name: name.trim(), scopes: SCOPES.find(([one]) => one === scope)?.[2] ?? [] })
      .then((key) => { setMade(key.token); setName(''); keys.reload(); })
      .catch((error: unknown) => setFailed((error as Error).message));
  };
  return (
    <Card title={t('settings.keys')} actions={canWrite && <Button small icon="key" onClick={() => { setMade(undefined); setAsking(true); }}>{t('settings.key.new')}</Button>}>
      <Shown of={keys} bones={<Bones rows={3} height={40} />}>
        {(found) => (
          <ul class="list">
            {found.map((key) => (
              <li key={key.id}>
                <div class="grow">
                  <p class="wrap" style={{ gap: '2px 8px' }}><span class="strong break">{key.name}</span><span class="mono muted">{key.partialKey}</span>{key.id === own && <span class="badge accent">{t('settings.key.own')}</span>}</p>
                  <p class="small muted">{key.scopes.join(', ')} · {key.lastUsed ? t('settings.key.used', { ago: ago(key.lastUsed) }) : t('settings.key.unused')}</p>
                </div>
                {canWrite && key.id !== own && <Button small kind="danger" onClick={() => setLeaving(key)}>{t('settings.key.revoke')}</Button>}
              </li>
            ))}
          </ul>
        )}
      </Shown>
      <Dialog open={asking} close={() => setAsking(false)} title={t(made ? 'settings.key.made' : 'settings.key.new')}>
        {made ? (
          <>
            <Note kind="warn">{t('settings.key.made.text')}</Note>
            <Code text={made} />
            <div><Button kind="primary" onClick={() => setAsking(false)}>{t('settings.key.done')}</Button></div>
          </>
        ) : (
          <form onSubmit={create} noValidate class="stack">
            {failed && <Note kind="bad">{failed}</Note>}
            <TextField label={t('settings.key.name')} value={name} set={setName} maxLength={50} autocomplete="off" />
            <Field label={t('settings.key.scope')}>
              {(ids) => <select {...ids} class="input" value={scope} onChange={(event) => setScope(event.currentTarget.value)}>{SCOPES.map(([one, word]) => <option key={one} value={one}>{t(word)}</option>)}</select>}
            </Field>
            <div class="wrap"><Button kind="primary" type="submit">{t('settings.key.new')}</Button><Button onClick={() => setAsking(false)}>{t('cancel')}</Button></div>
          </form>
        )}
      </Dialog>
      <Dialog open={leaving !== null} close={() => setLeaving(null)} title={t('settings.key.revoke.title', { name: leaving?.name ?? '' })}>
        <p>{t('settings.key.revoke.text')}</p>
        <div class="wrap">
          <Button kind="danger" onClick={() => { const id = leaving?.id ?? ''; setLeaving(null); remove(`/tokens/${id}`).then(() => { toast(t('deleted')); keys.reload(); toContent(); }).catch((error: unknown) => setFailed((error as Error).message)); }}>{t('settings.key.revoke')}</Button>
          <Button onClick={() => setLeaving(null)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </Card>
  );
}
