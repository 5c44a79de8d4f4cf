// Whom to tell of what happens, and how that went.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { post, remove } from '../api';
import { useData } from '../data';
import { ago, t, type Word } from '../i18n';
import { toContent } from '../router';
import { Bones, Button, Card, Code, Dialog, Empty, Note, Shown, Switch, TextField, toast } from '../ui/parts';

const TRIGGERS = ['lead.created', 'sale.created', 'sale.refunded', 'sale.disputed', 'link.clicked', 'link.created', 'link.updated', 'link.deleted'] as const;
type Trigger = (typeof TRIGGERS)[number];
const USUAL: readonly Trigger[] = ['lead.created', 'sale.created', 'sale.refunded'];

interface Webhook { id: string; name: string; url: string; secret: string; triggers: Trigger[]; disabledAt: string | null }
interface Delivery { event_id: string; event: Trigger; state: 'waiting' | 'delivered' | 'dead'; http_status: number | null; attempts: number; timestamp: string; request_body: unknown; response_body: string }

const word = (trigger: Trigger): string => t(`hooks.${trigger}` satisfies Word);

export function Webhooks({ canWrite }: { canWrite: boolean }): JSX.Element {
  const webhooks = useData<Webhook[]>('/webhooks');
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [reading, setReading] = useState<Webhook | null>(null);
  const [leaving, setLeaving] = useState<Webhook | null>(null);
  const [failed, setFailed] = useState<string>();
  const act = (change: Promise<unknown>): Promise<void> => {
    setFailed(undefined);
    return change.then(() => webhooks.reload()).catch((error: unknown) => setFailed((error as Error).message));
  };
  const test = (one: Webhook): void => {
    void act(post<Delivery>(`/webhooks/${one.id}/test`, {}).then((answer) => toast(t('hooks.test.got', { status: answer.http_status ?? '' }))));
  };
  const rotate = (one: Webhook): void => {
    void act(post<Webhook>(`/webhooks/${one.id}/rotate-secret`, {}).then((made) => setSecret(made.secret)));
  };
  return (
    <Card title={t('hooks.title')} actions={canWrite && <Button small icon="plus" onClick={() => setAsking(true)}>{t('hooks.new')}</Button>}>
      {failed && <div class="card-body"><Note kind="bad">{failed}</Note></div>}
      <Shown of={webhooks} bones={<Bones rows={2} height={40} />}>
        {(found) => found.length === 0 ? <p class="card-body muted">{t('hooks.none')}</p> : (
          <ul class="list wide-first">
            {found.map((one) => (
              <li key={one.id}>
                <div class="grow">
                  <p class="wrap" style={{ gap: '2px 8px' }}>
                    <span class="strong break">{one.name}</span>
                    <span class={`badge ${one.disabledAt ? 'bad' : 'good'}`}>{t(one.disabledAt ? 'hooks.disabled' : 'hooks.active')}</span>
                  </p>
                  <p class="small muted break">{one.url}</p>
                  <p class="small muted">{one.triggers.map(word).join(', ')}</p>
                </div>
                <div class="wrap">
                  <Button small onClick={() => setReading(one)}>{t('hooks.log')}</Button>
                  {canWrite && one.disabledAt && <Button small kind="primary" onClick={() => void act(post(`/webhooks/${one.id}/enable`, {}))}>{t('hooks.enable')}</Button>}
                  {canWrite && <Button small onClick={() => test(one)}>{t('hooks.test')}</Button>}
                  {canWrite && <Button small onClick={() => rotate(one)}>{t('hooks.rotate')}</Button>}
                  {canWrite && <Button small kind="danger" icon="trash" label={t('hooks.delete', { name: one.name })} onClick={() => setLeaving(one)} />}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Shown>
      <New open={asking} close={() => setAsking(false)} made={(one) => { setAsking(false); setSecret(one.secret); webhooks.reload(); }} />
      <Dialog open={secret !== undefined} close={() => setSecret(undefined)} title={t('hooks.made')}>
        <Note kind="warn">{t('hooks.made.text')}</Note>
        <Code text={secret ?? ''} />
        <div><Button kind="primary" onClick={() => setSecret(undefined)}>{t('settings.key.done')}</Button></div>
      </Dialog>
      <Dialog open={reading !== null} close={() => setReading(null)} title={`${t('filter.is', { name: t('hooks.log') })} ${reading?.name ?? ''}`}>
        {reading && <Log of={reading} canWrite={canWrite} />}
      </Dialog>
      <Dialog open={leaving !== null} close={() => setLeaving(null)} title={t('hooks.delete', { name: leaving?.name ?? '' })}>
        <p>{t('hooks.delete.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={() => { const id = leaving?.id ?? ''; setLeaving(null); void act(remove(`/webhooks/${id}`)).then(toContent); }}>{t('delete')}</Button>
          <Button onClick={() => setLeaving(null)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </Card>
  );
}

function New({ open, close, made }: { open: boolean; close: () => void; made: (webhook: Webhook) => void }): JSX.Element {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [chosen, setChosen] = useState<readonly Trigger[]>(USUAL);
  const [failed, setFailed] = useState<string>();
  useEffect(() => {
    if (open) { setName(''); setUrl(''); setChosen(USUAL); }
    setFailed(undefined);
  }, [open]);
  const create = (event: Event): void => {
    event.preventDefault();
    const allLinks = chosen.includes('link.clicked');
    post<Webhook>('/webhooks', { name: name.trim(), url: url.trim(), triggers: chosen, allLinks })
      .then(made)
      .catch((error: unknown) => setFailed((error as Error).message));
  };
  return (
    <Dialog open={open} close={close} title={t('hooks.new')}>
      <form onSubmit={create} noValidate class="stack">
        {failed && <Note kind="bad">{failed}</Note>}
        <TextField label={t('hooks.name')} value={name} set={setName} maxLength={40} autocomplete="off" />
        <TextField label={t('hooks.url')} value={url} set={setUrl} hint={t('hooks.url.hint')} placeholder="https://hooks.example.com/pimms" type="url" autocomplete="off" />
        <fieldset class="stack-small">
          <legend class="label">{t('hooks.triggers')}</legend>
          {TRIGGERS.map((trigger) => (
            <Switch key={trigger} on={chosen.includes(trigger)} set={(on) => setChosen(on ? [...chosen, trigger] : chosen.filter((one) => one !== trigger))}>{word(trigger)}</Switch>
          ))}
        </fieldset>
        <div class="wrap"><Button kind="primary" type="submit">{t('hooks.new')}</Button><Button onClick={close}>{t('cancel')}</Button></div>
      </form>
    </Dialog>
  );
}

/** The latest deliveries; each opens to what was sent and answered. */
function Log({ of, canWrite }: { of: Webhook; canWrite: boolean }): JSX.Element {
  const path = `/webhooks/${of.id}/events`;
  const log = useData<Delivery[]>(path, {}, 5_000);
  const [failed, setFailed] = useState<string>();
  const again = (one: Delivery): void => {
    setFailed(undefined);
    post(`${path}/${one.event_id}/redeliver`, {})
      .then(() => { toast(t('hooks.again.done')); log.reload(); })
      .catch((error: unknown) => setFailed((error as Error).message));
  };
  return (
    <div class="stack">
      {failed && <Note kind="bad">{failed}</Note>}
      <Shown of={log} bones={<Bones rows={4} height={36} />}>
        {(found) => found.length === 0 ? <Empty icon="events" title={t('hooks.log.none')} low /> : (
          <ul class="list">
            {found.map((one) => (
              <li key={one.event_id}>
                <details class="grow">
                  <summary>
                    <span class="strong">{word(one.event)}</span>{' '}
                    <span class={`badge ${{ waiting: 'warn', delivered: 'good', dead: 'bad' }[one.state]}`}>{t(`hooks.${one.state}` satisfies Word)}</span>{' '}
                    <span class="small muted">{[one.http_status, t('hooks.attempts', { n: one.attempts }), ago(one.timestamp)].filter(Boolean).join(' · ')}</span>
                  </summary>
                  <p class="small strong">{t('hooks.request')}</p>
                  <Code text={JSON.stringify(one.request_body, null, 2)} />
                  <p class="small strong">{t('hooks.response')}</p>
                  <Code text={one.response_body} />
                  {canWrite && one.state !== 'waiting' && <Button small onClick={() => again(one)}>{t('hooks.again')}</Button>}
                </details>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </div>
  );
}
