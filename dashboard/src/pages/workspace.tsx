// The workspace: what it is called, how its reports are counted, what links do by default, what is kept of visitors.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, patch, type Workspace } from '../api';
import { currencyName, number, t, type Word } from '../i18n';
import { MODELS } from '../span';
import { Button, Card, Field, Note, Switch, TextField, toast } from '../ui/parts';

/** The longest that clicks are kept. */
const MOST_DAYS = 3650;
const WINDOWS = [7, 14, 30, 60, 90, 180, 365] as const;

/** What the platform lists, with `own` in any case. */
function listed(kind: 'currency' | 'timeZone', own: readonly string[]): string[] {
  try {
    return [...new Set([...own, ...Intl.supportedValuesOf(kind)])];
  } catch {
    return [...new Set(own)];
  }
}

type Draft = Pick<Workspace, 'name' | 'slug' | 'currency' | 'attributionModel' | 'conversionEnabled' | 'storeVisitorAddresses'> & { hosts: string; timezone: string; days: string; retention: string };

const draft = (of: Workspace): Draft => ({
  name: of.name, slug: of.slug, currency: of.currency.toUpperCase(), attributionModel: of.attributionModel, conversionEnabled: of.conversionEnabled,
  storeVisitorAddresses: of.storeVisitorAddresses, hosts: of.allowedHostnames.join(', '), timezone: of.timezone ?? '', days: String(of.attributionWindowDays), retention: of.clickRetentionDays === null ? '' : String(of.clickRetentionDays),
});

export function WorkspaceCard({ workspace, canWrite, refresh }: { workspace: Workspace; canWrite: boolean; refresh: () => void }): JSX.Element {
  const [form, setForm] = useState(() => draft(workspace));
  const [wrong, setWrong] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<Draft>): void => { setForm((now) => ({ ...now, ...change })); setWrong(undefined); };
  const field = (name: string): string | undefined => (wrong?.field === name ? wrong.message : undefined);
  const windows = [...new Set([...WINDOWS, workspace.attributionWindowDays])].sort((a, b) => a - b);
  const save = (event: Event): void => {
    event.preventDefault();
    const { hosts, days, timezone, retention, ...rest } = form;
    const kept = retention.trim() ? Number(retention) : null;
    if (kept !== null && !(Number.isInteger(kept) && kept >= 1 && kept <= MOST_DAYS)) return setWrong(new ApiError(0, 'days', `too_big: clickRetentionDays: ${t('workspace.retention.wrong', { n: number(MOST_DAYS) })}`));
    setBusy(true);
    const isAnew = Number(days) !== workspace.attributionWindowDays;
    patch<Workspace>(`/workspaces/${workspace.id}`, { ...rest, timezone: timezone || null, clickRetentionDays: kept, attributionWindowDays: Number(days), allowedHostnames: hosts.split(/[\s,]+/).filter(Boolean) })
      .then(() => { toast(t(isAnew ? 'workspace.anew' : 'saved')); refresh(); })
      .catch((error: unknown) => setWrong(error as ApiError))
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={save} noValidate>
      <Card title={t('settings.workspace')} foot={canWrite ? <><span class="small muted mono cut">{workspace.id}</span><Button kind="primary" type="submit" disabled={busy}>{t(busy ? 'saving' : 'save')}</Button></> : undefined}>
        <fieldset disabled={!canWrite}>
          {wrong && !SHOWN.includes(wrong.field) && <div class="card-body"><Note kind="bad">{wrong.message}</Note></div>}
          <Part word="workspace.identity">
            <TextField label={t('settings.name')} value={form.name} set={(name) => set({ name })} maxLength={32} wrong={field('name')} />
            <TextField label={t('settings.slug')} value={form.slug} set={(slug) => set({ slug })} maxLength={48} wrong={field('slug')} />
          </Part>
          <Part word="workspace.reports">
            <Choice label={t('settings.currency')} hint={t('settings.currency.hint')} value={form.currency} set={(currency) => set({ currency })} options={listed('currency', [form.currency, 'EUR', 'USD', 'GBP', 'CHF', 'JPY']).map((code) => [code, currencyName(code)])} />
            <Choice label={t('timezone')} hint={t('workspace.timezone.hint')} wrong={field('timezone')} value={form.timezone} set={(timezone) => set({ timezone })} options={[['', t('workspace.timezone.own')], ...listed('timeZone', ['UTC', ...(form.timezone ? [form.timezone] : [])]).map((zone): [string, string] => [zone, zone.replace(/_/g, ' ')])]} />
          </Part>
          <Part word="workspace.attribution">
            <Choice label={t('workspace.window')} hint={t('workspace.window.hint')} value={form.days} set={(days) => set({ days })} options={windows.map((days) => [String(days), t('workspace.days', { n: days })])} />
            <Choice label={t('model')} hint={t('workspace.model.hint')} value={form.attributionModel} set={(attributionModel) => set({ attributionModel })} options={MODELS.map((name) => [name, t(`model.${name}` as Word)])} />
          </Part>
          <Part word="workspace.links">
            <Toggle hint={t('workspace.conversions.hint')} on={form.conversionEnabled} set={(conversionEnabled) => set({ conversionEnabled })}>{t('workspace.conversions')}</Toggle>
            <TextField label={t('settings.hosts')} hint={t('settings.hosts.hint')} value={form.hosts} set={(hosts) => set({ hosts })} wrong={field('allowedHostnames')} />
          </Part>
          <Part word="workspace.privacy">
            <Toggle hint={t('workspace.addresses.hint')} on={form.storeVisitorAddresses} set={(storeVisitorAddresses) => set({ storeVisitorAddresses })}>{t('workspace.addresses')}</Toggle>
            <TextField label={t('workspace.retention')} hint={t('workspace.retention.hint', { n: number(workspace.defaultClickRetentionDays) })} wrong={field('clickRetentionDays')} inputMode="numeric" autocomplete="off" placeholder={t('workspace.retention.default', { n: number(workspace.defaultClickRetentionDays) })} value={form.retention} set={(retention) => set({ retention })} />
          </Part>
        </fieldset>
      </Card>
    </form>
  );
}

/** Fields that say themselves what is wrong with them. */
const SHOWN: readonly string[] = ['name', 'slug', 'timezone', 'allowedHostnames', 'clickRetentionDays'];

function Part({ word, children }: { word: Word; children: ComponentChildren }): JSX.Element {
  return (
    <fieldset class="part">
      <legend class="part-name">{t(word)}</legend>
      <div class="pair-fields">{children}</div>
    </fieldset>
  );
}

function Choice({ label, hint, wrong, value, set, options }: { label: string; hint: string; wrong?: string | undefined; value: string; set: (value: string) => void; options: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(ids) => <select {...ids} class="input" value={value} onChange={(event) => set(event.currentTarget.value)}>{options.map(([name, shown]) => <option key={name} value={name}>{shown}</option>)}</select>}
    </Field>
  );
}

function Toggle({ hint, on, set, children }: { hint: string; on: boolean; set: (on: boolean) => void; children: ComponentChildren }): JSX.Element {
  return (
    <div class="field">
      <Switch on={on} set={set}>{children}</Switch>
      <span class="hint">{hint}</span>
    </div>
  );
}
