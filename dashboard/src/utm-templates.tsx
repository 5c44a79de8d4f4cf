// UTM templates in the Link Builder: values that are used again and again, put in at once.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { patch, post, remove } from './api';
import { useData } from './data';
import { t } from './i18n';
import { Button, Dialog, Field, TextField, toast } from './ui/parts';

export const UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] as const;
export type Utm = Record<(typeof UTM)[number], string>;
type Template = { id: string; name: string } & Record<(typeof UTM)[number], string | null>;

/** What a template says, over what is there: fields that it leaves empty stay. */
function applied(template: Template, utm: Utm): Utm {
  return Object.fromEntries(UTM.map((name) => [name, template[name] ?? utm[name]])) as Utm;
}

export function UtmTemplates({ utm, set }: { utm: Utm; set: (utm: Utm) => void }): JSX.Element | null {
  const templates = useData<Template[]>('/utm-templates');
  const [chosen, setChosen] = useState('');
  const [name, setName] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const [leaving, setLeaving] = useState(false);
  const all = templates.data ?? [];
  const current = all.find((one) => one.id === chosen);
  const isEmpty = UTM.every((field) => !utm[field].trim());
  const isAsTemplate = current !== undefined && UTM.every((field) => (current[field] ?? '') === utm[field].trim());
  const named = all.find((one) => one.name.toLowerCase() === name?.trim().toLowerCase());

  const save = (): void => {
    const wanted = name?.trim() ?? '';
    if (!wanted) return setWrong(t('template.name.empty'));
    const values = { name: wanted, ...Object.fromEntries(UTM.map((field) => [field, utm[field].trim() || null])) };
    (named ? patch<Template>(`/utm-templates/${named.id}`, values) : post<Template>('/utm-templates', values))
      .then((made) => { setName(undefined); setChosen(made.id); templates.reload(); toast(t('saved')); })
      .catch((error: unknown) => setWrong((error as Error).message));
  };
  const drop = (): void => {
    setLeaving(false);
    remove(`/utm-templates/${chosen}`)
      .then(() => { setChosen(''); templates.reload(); toast(t('deleted')); })
      .catch((error: unknown) => toast((error as Error).message));
  };

  if (all.length === 0 && isEmpty) return null;
  if (name !== undefined) {
    return (
      <div class="line top-line" onKeyDown={(event) => {
        // Enter would send the link.
        if (event.key === 'Enter' && event.target instanceof HTMLInputElement) { event.preventDefault(); save(); }
        if (event.key === 'Escape') setName(undefined);
      }}>
        <div class="grow"><TextField label={t('template.name')} value={name} set={(text) => { setName(text); setWrong(undefined); }} maxLength={50} autocomplete="off" focus wrong={wrong} hint={named ? t('template.replaces', { name: named.name }) : t('template.hint')} /></div>
        <div class="line beside-field"><Button kind="primary" onClick={save}>{t('save')}</Button><Button onClick={() => setName(undefined)}>{t('cancel')}</Button></div>
      </div>
    );
  }
  return (
    <div class="line bottom-line">
      {all.length > 0 && (
        <div class="grow">
          <Field label={t('template')}>
            {(ids) => (
              <select {...ids} class="input" value={chosen} onChange={(event) => {
                const template = all.find((one) => one.id === event.currentTarget.value);
                setChosen(template?.id ?? '');
                if (template) set(applied(template, utm));
              }}>
                <option value="">{t('template.choose')}</option>
                {all.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
              </select>
            )}
          </Field>
        </div>
      )}
      {current && <Button icon="trash" kind="quiet" label={t('template.delete', { name: current.name })} onClick={() => setLeaving(true)} />}
      {!isEmpty && !isAsTemplate && <Button onClick={() => { setName(current?.name ?? ''); setWrong(undefined); }}>{t('template.save')}</Button>}
      <Dialog open={leaving} close={() => setLeaving(false)} title={t('template.delete', { name: current?.name ?? '' })}>
        <p>{t('template.delete.text')}</p>
        <div class="wrap">
          <Button kind="danger" icon="trash" onClick={drop}>{t('delete')}</Button>
          <Button onClick={() => setLeaving(false)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </div>
  );
}
