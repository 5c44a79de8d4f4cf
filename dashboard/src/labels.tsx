// Folders and tags: made, renamed and deleted, where links are listed.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { patch, post, remove } from './api';
import type { Loaded } from './data';
import { t, type Word } from './i18n';
import { Button, Dialog, Note, TextField, toast } from './ui/parts';

interface Label { id: string; name: string }

/** What the API calls them, and how long a name may be. */
const KINDS = { folder: ['/folders', 190], tag: ['/tags', 50] } as const;

interface Props { open: boolean; close: () => void; folders: Loaded<Label[]>; tags: Loaded<Label[]>; may: (permission: string) => boolean }

export function LabelsDialog({ open, close, folders, tags, may }: Props): JSX.Element {
  return (
    <Dialog open={open} close={close} title={t('labels.title')}>
      {may('folders.write') && <Labels kind="folder" of={folders} />}
      {may('tags.write') && <Labels kind="tag" of={tags} />}
    </Dialog>
  );
}

function Labels({ kind, of }: { kind: keyof typeof KINDS; of: Loaded<Label[]> }): JSX.Element {
  const [path, most] = KINDS[kind];
  const [name, setName] = useState('');
  const [changed, setChanged] = useState<Label>();
  const [leaving, setLeaving] = useState<Label>();
  const [failed, setFailed] = useState<string>();
  const act = (change: Promise<unknown>, then: () => void): void => {
    setFailed(undefined);
    change.then(() => { then(); toast(t('saved')); of.reload(); }).catch((error: unknown) => setFailed((error as Error).message));
  };
  const add = (event: Event): void => {
    event.preventDefault();
    if (name.trim()) act(post(path, { name: name.trim() }), () => setName(''));
  };
  const rename = (event: Event): void => {
    event.preventDefault();
    if (changed?.name.trim()) act(patch(`${path}/${changed.id}`, { name: changed.name.trim() }), () => setChanged(undefined));
  };
  return (
    <section class="stack-small" aria-label={t(`labels.${kind}s` satisfies Word)}>
      <h3>{t(`labels.${kind}s` satisfies Word)}</h3>
      {failed && <Note kind="bad">{failed}</Note>}
      {of.data?.length === 0 && <p class="muted">{t(`labels.${kind}s.none` satisfies Word)}</p>}
      <ul class="list boxed">
        {(of.data ?? []).map((one) => (
          <li key={one.id}>
            {changed?.id === one.id ? (
              <form class="line bottom-line grow" onSubmit={rename} noValidate>
                <div class="grow"><TextField label={t('labels.name')} value={changed.name} set={(text) => setChanged({ ...one, name: text })} maxLength={most} autocomplete="off" focus /></div>
                <Button type="submit">{t('save')}</Button>
                <Button kind="quiet" icon="close" label={t('cancel')} onClick={() => setChanged(undefined)} />
              </form>
            ) : leaving?.id === one.id ? (
              <div class="grow stack-small">
                <p>{t(`labels.${kind}.delete` satisfies Word, { name: one.name })}</p>
                <div class="wrap">
                  <Button small kind="danger" icon="trash" onClick={() => act(remove(`${path}/${one.id}`), () => setLeaving(undefined))}>{t('delete')}</Button>
                  <Button small onClick={() => setLeaving(undefined)}>{t('cancel')}</Button>
                </div>
              </div>
            ) : (
              <>
                <span class="grow break">{one.name}</span>
                <div class="line">
                  <Button small kind="quiet" icon="edit" label={t('labels.rename', { name: one.name })} onClick={() => { setLeaving(undefined); setChanged(one); }} />
                  <Button small kind="quiet" icon="trash" label={t('labels.delete', { name: one.name })} onClick={() => { setChanged(undefined); setLeaving(one); }} />
                </div>
              </>
            )}
          </li>
        ))}
      </ul>
      <form class="line bottom-line" onSubmit={add} noValidate>
        <div class="grow"><TextField label={t(`labels.${kind}.new` satisfies Word)} value={name} set={setName} maxLength={most} autocomplete="off" /></div>
        <Button type="submit" icon="plus">{t('settings.add')}</Button>
      </form>
    </section>
  );
}
