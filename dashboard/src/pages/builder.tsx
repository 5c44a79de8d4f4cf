// The Link Builder: makes a link, or changes one, with what it will look like beside it.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get, patch, post, type Folder, type Link, type Tag, type Variant } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { countryName, t, type Word } from '../i18n';
import { hostOf, qrAddress, shortName, shortUrl } from '../links';
import { QrDownloads } from '../qr';
import { A, go, toContent } from '../router';
import { UTM, UtmTemplates, type Utm } from '../utm-templates';
import { Icon } from '../ui/icons';
import { Bones, Button, Card, copy, Failed, Field, Note, PageHead, Switch, TextField, toast } from '../ui/parts';

type Meta = { title: string | null; description: string | null; image: string | null };

interface Draft {
  url: string; domain: string; key: string; title: string; description: string; image: string; comments: string;
  folderId: string; tagIds: string[]; newTag: string; trackConversion: boolean; rewrite: boolean; doIndex: boolean; proxy: boolean;
  password: string; expiresAt: string; expiredUrl: string; maxClicks: string; ios: string; android: string;
  geo: [string, string][]; variants: Variant[]; testUntil: string; utm: Utm;
}

/** `2030-01-31T18:00` of the reader's clock, as date fields want it. */
function localTime(iso: string | null): string {
  if (!iso) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function draft(link: Link | null, domain: string, tracks: boolean): Draft {
  const utm: Utm = { utm_source: '', utm_medium: '', utm_campaign: '', utm_term: '', utm_content: '' };
  for (const name of UTM) utm[name] = link?.[name] ?? '';
  return {
    url: withoutUtm(link?.url ?? ''), domain: link?.domain ?? domain, key: link?.key ?? '', title: link?.title ?? '', description: link?.description ?? '',
    image: link?.image ?? '', comments: link?.comments ?? '', folderId: link?.folderId ?? '', tagIds: link?.tags.map((tag) => tag.id) ?? [], newTag: '',
    trackConversion: link?.trackConversion ?? tracks, rewrite: link?.rewrite ?? false, doIndex: link?.doIndex ?? false, proxy: link?.proxy ?? false,
    password: link?.password ?? '', expiresAt: localTime(link?.expiresAt ?? null), expiredUrl: link?.expiredUrl ?? '', maxClicks: link?.maxClicks ? String(link.maxClicks) : '',
    ios: link?.ios ?? '', android: link?.android ?? '', geo: Object.entries(link?.geo ?? {}), variants: link?.testVariants ?? [], testUntil: localTime(link?.testCompletedAt ?? null), utm,
  };
}

/** What the API says of a page that says nothing is not shown as the page's words. */
function withoutFallbacks(meta: Meta): Meta {
  return { ...meta, title: /^https?:/.test(meta.title ?? '') ? null : meta.title, description: meta.description === 'No description' ? null : meta.description };
}

function withoutUtm(url: string): string {
  return /[?&]utm_/.test(url) ? url.replace(/([?&])utm_(?:source|medium|campaign|term|content)=[^&#]*/g, '$1').replace(/&{2,}/g, '&').replace(/\?&/, '?').replace(/[?&]+(?=#|$)/, '') : url;
}

/** The destination with its UTM values, as the server will write it. */
function destination(of: Draft): string {
  const pairs = UTM.filter((name) => of.utm[name].trim()).map((name) => `${name}=${encodeURIComponent(of.utm[name].trim()).replace(/%20/g, '+')}`);
  if (!of.url || pairs.length === 0) return of.url;
  const [before, hash] = of.url.split('#', 2);
  return `${before}${before?.includes('?') ? '&' : '?'}${pairs.join('&')}${hash === undefined ? '' : `#${hash}`}`;
}

function body(of: Draft, isNew: boolean): Record<string, unknown> {
  const text = (value: string): string | null => value.trim() || null;
  const geo = of.geo.filter(([country, url]) => country && url.trim());
  const tested = of.variants.length >= 2;
  return {
    url: of.url.trim(), domain: of.domain, ...(of.key || !isNew ? { key: of.key } : {}),
    title: text(of.title), description: text(of.description), image: text(of.image), comments: text(of.comments),
    folderId: of.folderId || null, tagIds: of.tagIds, trackConversion: of.trackConversion, rewrite: of.rewrite, doIndex: of.doIndex, proxy: of.proxy,
    ...(of.password.startsWith('****') ? {} : { password: of.password || null }),
    expiresAt: of.expiresAt ? new Date(of.expiresAt).toISOString() : null, expiredUrl: text(of.expiredUrl), maxClicks: of.maxClicks ? Number(of.maxClicks) : null,
    ios: text(of.ios), android: text(of.android), geo: geo.length ? Object.fromEntries(geo) : null,
    ...(tested || !isNew ? { testVariants: tested ? of.variants : null, testCompletedAt: tested && of.testUntil ? new Date(of.testUntil).toISOString() : null } : {}),
    ...Object.fromEntries(UTM.map((name) => [name, text(of.utm[name])])),
  };
}

export function Builder({ id, session, workspace }: PageProps): JSX.Element {
  const link = useData<Link>(id ? `/links/${encodeURIComponent(id)}` : null);
  const domains = useData<{ slug: string; primary: boolean; archived: boolean }[]>('/domains');
  if (link.error) return <Card><Failed error={link.error} retry={link.reload} /></Card>;
  if (domains.error) return <Card><Failed error={domains.error} retry={domains.reload} /></Card>;
  if ((id && !link.data) || !domains.data) return <Bones rows={7} height={52} />;
  const names = domains.data.filter((domain) => !domain.archived).map((domain) => domain.slug);
  const first = domains.data.find((domain) => domain.primary)?.slug ?? names[0] ?? '';
  return <Form old={link.data ?? null} domains={link.data && !names.includes(link.data.domain) ? [link.data.domain, ...names] : names} first={first} tracks={workspace?.conversionEnabled ?? session.conversionEnabled} />;
}

function More({ word, open, children, count }: { word: Word; open: boolean; children: ComponentChildren; count?: number }): JSX.Element {
  return (
    <details class="more" open={open}>
      <summary><span class="line">{t(word)}{count ? <span class="badge accent">{count}</span> : null}</span><Icon class="turn" name="down" size={16} /></summary>
      <div>{children}</div>
    </details>
  );
}

function Form({ old, domains, first, tracks }: { old: Link | null; domains: string[]; first: string; tracks: boolean }): JSX.Element {
  const [form, setForm] = useState<Draft>(() => draft(old, first, tracks));
  const [free, setFree] = useState<'free' | 'taken' | 'asking' | null>(null);
  const [refused, setRefused] = useState('');
  const [wrong, setWrong] = useState<{ field: string; message: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<Link | null>(null);
  useEffect(() => { if (made) toContent(); }, [made]);
  const [meta, setMeta] = useState<Meta | null>(null);
  const tags = useData<Tag[]>('/tags', { pageSize: 100 });
  const folders = useData<Folder[]>('/folders');
  const set = (change: Partial<Draft>): void => { setForm((now) => ({ ...now, ...change })); setWrong(null); };
  const field = (name: string): string | undefined => (wrong?.field === name ? wrong.message : undefined);
  const isSame = old !== null && old.key === form.key && old.domain === form.domain;

  useEffect(() => {
    const key = form.key.trim();
    if (!key || isSame) return void setFree(null);
    setFree('asking');
    const control = new AbortController();
    const timer = window.setTimeout(() => {
      get('/links/exists', { domain: form.domain, key }, control.signal).then(() => setFree('free')).catch((error: unknown) => {
        if (control.signal.aborted) return;
        const told = error instanceof ApiError && error.status >= 400 && error.status < 500 ? error : null;
        setFree(told ? 'taken' : null);
        setRefused(told && told.status !== 409 ? told.message : t('builder.taken'));
      });
    }, 300);
    return () => { window.clearTimeout(timer); control.abort(); };
  }, [form.key, form.domain, isSame]);

  useEffect(() => {
    if (!/^https?:\/\/[^/]+\.[^/]/.test(form.url)) return void setMeta(null);
    const control = new AbortController();
    const timer = window.setTimeout(() => void get<Meta>('/metatags', { url: form.url }, control.signal).then((found) => setMeta(withoutFallbacks(found))).catch(() => setMeta(null)), 700);
    return () => { window.clearTimeout(timer); control.abort(); };
  }, [form.url]);

  const submit = (event: Event): void => {
    event.preventDefault();
    if (!form.url.trim()) return setWrong({ field: 'url', message: t('builder.url.empty') });
    if (form.variants.length === 1) return setWrong({ field: 'testVariants', message: t('builder.ab.two') });
    if (form.variants.length >= 2 && !form.testUntil) return setWrong({ field: 'testVariants', message: t('builder.ab.until') });
    setBusy(true);
    const write = async (): Promise<Link> => {
      const wanted = body(form, old === null);
      const name = form.newTag.trim();
      if (name) {
        const known = tags.data?.find((tag) => tag.name.toLowerCase() === name.toLowerCase());
        const tag = known ?? await post<Tag>('/tags', { name });
        wanted['tagIds'] = [...form.tagIds, tag.id];
      }
      return old ? patch<Link>(`/links/${old.id}`, wanted) : post<Link>('/links', wanted);
    };
    write().then((link) => {
      if (old) { toast(t('saved')); go(`/links/${link.id}`); } else { setMade(link); void copy(shortUrl(link)); window.scrollTo(0, 0); }
    }).catch((error: unknown) => {
      const { message } = error as Error;
      const field = error instanceof ApiError ? error.field || (error.status === 409 ? 'key' : '') : '';
      setWrong({ field, message });
    }).finally(() => setBusy(false));
  };

  if (made) {
    return (
      <>
        <PageHead title={t('builder.made')} back={{ to: '/links', word: 'nav.links' }} />
        <Card>
          <div class="empty">
            <div class="qr"><img src={qrAddress(made, 'svg')} alt={t('qr.of', { name: shortName(made) })} width="148" height="148" /></div>
            <h2 class="break"><a href={shortUrl(made)} target="_blank" rel="noreferrer noopener">{shortName(made)}</a></h2>
            <p class="break">{t('builder.made.text')}</p>
            <div class="wrap">
              <QrDownloads link={made} />
            </div>
            <div class="wrap">
              <Button kind="primary" icon="copy" onClick={() => void copy(shortUrl(made))}>{t('copy')}</Button>
              <Button onClick={() => go(`/links/${made.id}`)}>{t('builder.show')}</Button>
              <Button kind="quiet" icon="plus" onClick={() => { setMade(null); setForm(draft(null, form.domain, tracks)); }}>{t('builder.another')}</Button>
            </div>
          </div>
        </Card>
      </>
    );
  }

  const shown = { domain: form.domain, key: form.key || '…' };
  const image = form.image || meta?.image || '';
  const utmCount = UTM.filter((name) => form.utm[name]).length;
  const totalShare = form.variants.reduce((sum, variant) => sum + variant.percentage, 0);
  const known = ['url', 'key', 'image', 'ios', 'android', 'expiredUrl', 'expiresAt', 'password', 'maxClicks'];
  return (
    <form onSubmit={submit} noValidate class="stack">
      <PageHead title={old ? t('builder.edit') : t('links.new')} back={old ? { to: `/links/${old.id}`, word: 'builder.back' } : { to: '/links', word: 'nav.links' }} />
      <div class="cols-main">
        <div class="stack">
          {wrong && !known.includes(wrong.field) && <Note kind="bad">{wrong.message}</Note>}
          <Card>
            <div class="card-body">
              <TextField label={t('builder.url')} type="url" inputMode="url" placeholder="https://" required value={form.url} set={(url) => {
                const found = Object.fromEntries(UTM.flatMap((name): [string, string][] => { const value = /[?&]utm_/.test(url) ? new URLSearchParams(url.split('?')[1]?.split('#')[0]).get(name) : null; return value ? [[name, value]] : []; }));
                set(Object.keys(found).length ? { url: withoutUtm(url), utm: { ...form.utm, ...found } } : { url });
              }} wrong={field('url')} />
              <Field label={t('builder.short')} wrong={field('key')} hint={free === 'taken' ? <span class="bad">{refused}</span> : free === 'free' ? <span class="good">{t('builder.free')}{old && ` ${t('builder.key.moves', { name: shortName(old) })}`}</span> : free === 'asking' ? t('builder.asking') : !old ? t('builder.key.hint') : isSame ? undefined : t('builder.key.moves', { name: shortName(old) })}>
                {(ids) => (
                  <div class="joined">
                    <select class="input" aria-label={t('domain')} value={form.domain} onChange={(event) => set({ domain: event.currentTarget.value })}>
                      {domains.map((domain) => <option key={domain} value={domain}>{domain === 'localhost' ? location.host : domain}</option>)}
                    </select>
                    <input {...ids} class="input" value={form.key === '_root' ? '' : form.key} disabled={form.key === '_root'} placeholder={t('builder.random')} autocomplete="off" autocapitalize="none" spellcheck={false} onInput={(event) => set({ key: event.currentTarget.value.replace(/\s+/g, '-') })} />
                  </div>
                )}
              </Field>
              <div class="pair-fields">
                <Field label={t('folder')}>
                  {(ids) => (
                    <select {...ids} class="input" value={form.folderId} onChange={(event) => set({ folderId: event.currentTarget.value })}>
                      <option value="">{t('folder.none')}</option>
                      {(folders.data ?? []).map((folder) => <option key={folder.id} value={folder.id}>{folder.name}</option>)}
                    </select>
                  )}
                </Field>
                <TextField label={t('tag.new')} value={form.newTag} set={(newTag) => set({ newTag })} maxLength={50} />
              </div>
              {(tags.data?.length ?? 0) > 0 && (
                <div class="wrap" role="group" aria-label={t('tags')}>
                  {(tags.data ?? []).map((tag) => {
                    const on = form.tagIds.includes(tag.id);
                    return <button key={tag.id} type="button" class={on ? 'badge accent label-tag' : 'badge label-tag'} aria-pressed={on} onClick={() => set({ tagIds: on ? form.tagIds.filter((one) => one !== tag.id) : [...form.tagIds, tag.id] })}>{on ? <Icon name="check" size={12} /> : <Icon name="tag" size={12} />}{tag.name}</button>;
                  })}
                </div>
              )}
              <Switch on={form.trackConversion} set={(trackConversion) => set({ trackConversion })}>{t('builder.track')}</Switch>
            </div>
            <More word="builder.utm" open={utmCount > 0} count={utmCount}>
              <UtmTemplates utm={form.utm} set={(utm) => set({ utm })} />
              <div class="pair-fields">
                {UTM.map((name) => <TextField key={name} label={t(`builder.${name}` as Word)} value={form.utm[name]} set={(value) => set({ utm: { ...form.utm, [name]: value } })} placeholder={t(`builder.${name}.example` as Word)} autocomplete="off" />)}
              </div>
            </More>
            <More word="builder.social" open={Boolean(old?.proxy || form.title)}>
              <TextField label={t('builder.title')} value={form.title} set={(title) => set({ title })} placeholder={meta?.title ?? ''} maxLength={255} />
              <TextField label={t('builder.description')} value={form.description} set={(description) => set({ description })} placeholder={meta?.description ?? ''} />
              <TextField label={t('builder.image')} type="url" value={form.image} set={(next) => set({ image: next })} placeholder="https://" wrong={field('image')} />
              <Switch on={form.proxy} set={(proxy) => set({ proxy })}>{t('builder.proxy')}</Switch>
            </More>
            <More word="builder.limits" open={Boolean(old?.password || old?.expiresAt || old?.maxClicks)}>
              <div class="pair-fields">
                <TextField label={t('builder.password')} value={form.password} set={(password) => set({ password })} autocomplete="off" wrong={field('password')} hint={t('builder.password.hint')} />
                <TextField label={t('builder.maxClicks')} type="number" min={1} value={form.maxClicks} set={(maxClicks) => set({ maxClicks })} wrong={field('maxClicks')} />
                <TextField label={t('builder.expiresAt')} type="datetime-local" value={form.expiresAt} set={(expiresAt) => set({ expiresAt })} wrong={field('expiresAt')} />
                <TextField label={t('builder.expiredUrl')} type="url" placeholder="https://" value={form.expiredUrl} set={(expiredUrl) => set({ expiredUrl })} wrong={field('expiredUrl')} />
              </div>
            </More>
            <More word="builder.targeting" open={Boolean(old?.ios || old?.android || old?.geo)} count={form.geo.length + (form.ios ? 1 : 0) + (form.android ? 1 : 0)}>
              <div class="pair-fields">
                <TextField label={t('builder.ios')} type="url" placeholder="https://" value={form.ios} set={(ios) => set({ ios })} wrong={field('ios')} />
                <TextField label={t('builder.android')} type="url" placeholder="https://" value={form.android} set={(android) => set({ android })} wrong={field('android')} />
              </div>
              {form.geo.map(([country, url], at) => (
                <div key={at} class="line">
                  <input class="input" style={{ width: '84px', flex: 'none' }} aria-label={t('builder.country')} placeholder="FR" maxLength={2} value={country} title={country.length === 2 ? countryName(country) : ''} onInput={(event) => { const next = event.currentTarget.value.toUpperCase(); set({ geo: form.geo.map((pair, index) => (index === at ? [next, pair[1]] : pair)) }); }} />
                  <input class="input" type="url" aria-label={t('builder.country.url')} placeholder="https://" value={url} onInput={(event) => { const next = event.currentTarget.value; set({ geo: form.geo.map((pair, index) => (index === at ? [pair[0], next] : pair)) }); }} />
                  <Button kind="quiet" icon="trash" label={t('delete')} onClick={() => set({ geo: form.geo.filter((_, index) => index !== at) })} />
                </div>
              ))}
              <div><Button small icon="plus" onClick={() => set({ geo: [...form.geo, ['', '']] })}>{t('builder.country.add')}</Button></div>
            </More>
            <More word="builder.ab" open={form.variants.length > 0} count={form.variants.length}>
              <p class="muted">{t('builder.ab.about')}</p>
              {form.variants.map((variant, at) => (
                <div key={at} class="line variant">
                  <span class="badge accent">{String.fromCharCode(65 + at)}</span>
                  <input class="input" type="url" aria-label={t('builder.ab.url', { name: String.fromCharCode(65 + at) })} placeholder="https://" value={variant.url} onInput={(event) => { const url = event.currentTarget.value; set({ variants: form.variants.map((one, index) => (index === at ? { ...one, url } : one)) }); }} />
                  <input class="input" style={{ width: '76px', flex: 'none' }} type="number" min={10} max={90} aria-label={t('builder.ab.share', { name: String.fromCharCode(65 + at) })} value={variant.percentage} onInput={(event) => { const percentage = Number(event.currentTarget.value); set({ variants: form.variants.map((one, index) => (index === at ? { ...one, percentage } : one)) }); }} />
                  <span class="muted">%</span>
                  <Button kind="quiet" icon="trash" label={t('delete')} onClick={() => set({ variants: form.variants.filter((_, index) => index !== at) })} />
                </div>
              ))}
              {form.variants.length > 1 && totalShare !== 100 && <span class="bad small">{t('builder.ab.sum', { n: totalShare })}</span>}
              {form.variants.length < 4 && <div><Button small icon="plus" onClick={() => set({ variants: form.variants.length === 0 ? [{ url: form.url, percentage: 50 }, { url: '', percentage: 50 }] : [...form.variants, { url: '', percentage: 10 }] })}>{t('builder.ab.add')}</Button></div>}
              {form.variants.length > 0 && <TextField label={t('builder.ab.end')} type="datetime-local" value={form.testUntil} set={(testUntil) => set({ testUntil })} />}
            </More>
            <More word="builder.advanced" open={Boolean(old?.comments || old?.rewrite || old?.doIndex)}>
              <Field label={t('builder.comments')}>{(ids) => <textarea {...ids} class="input" value={form.comments} onInput={(event) => set({ comments: event.currentTarget.value })} />}</Field>
              <Switch on={form.rewrite} set={(rewrite) => set({ rewrite })}>{t('builder.cloak')}</Switch>
              <Switch on={form.doIndex} set={(doIndex) => set({ doIndex })}>{t('builder.index')}</Switch>
            </More>
          </Card>
        </div>
        <div class="stack sticky">
          <Card title={t('builder.preview')} foot={<><A class="button quiet" to={old ? `/links/${old.id}` : '/links'}>{t('cancel')}</A><Button kind="primary" type="submit" disabled={busy || free === 'taken'}>{busy ? t('saving') : old ? t('save') : t('builder.create')}</Button></>}>
            <div class="card-body">
              <div class="line"><span class="strong cut">{shortName(shown)}</span></div>
              <p class="small muted break">{destination(form) ? `→ ${destination(form)}` : t('builder.preview.empty')}</p>
              <div class="preview">
                <div class="picture">{/^https:\/\//.test(image) ? <img src={image} alt="" referrerpolicy="no-referrer" /> : <Icon name="globe" size={28} />}</div>
                <div class="words">
                  <span class="small muted">{form.url ? hostOf(form.url) : 'example.com'}</span>
                  <span class="strong cut">{form.title || meta?.title || t('builder.title')}</span>
                  <span class="small muted cut">{form.description || meta?.description || t('builder.description')}</span>
                </div>
              </div>
              {form.key && <div class="qr"><img src={qrAddress(shown, 'svg')} alt={t('qr.of', { name: shortName(shown) })} width="148" height="148" /></div>}
            </div>
          </Card>
        </div>
      </div>
    </form>
  );
}
