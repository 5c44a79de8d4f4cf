// The parts that pages are made of.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api';
import { t, type Word } from '../i18n';
import { A } from '../router';
import { Icon, type IconName } from './icons';

type ButtonProps = Omit<JSX.IntrinsicElements['button'], 'icon'> & {
  kind?: 'primary' | 'quiet' | 'danger' | ''; small?: boolean; icon?: IconName; label?: string; children?: ComponentChildren;
};

export function Button({ kind = '', small = false, icon, label, children, class: extra, ...rest }: ButtonProps): JSX.Element {
  const classes = ['button', kind, small ? 'small' : '', children ? '' : 'icon', extra ?? ''].filter(Boolean).join(' ');
  return (
    <button type="button" {...rest} class={classes} {...(label ? { 'aria-label': label, title: label } : {})}>
      {icon && <Icon name={icon} size={small ? 15 : 17} />}
      {children}
    </button>
  );
}

export function Card({ title, actions, children, foot }: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; foot?: ComponentChildren }): JSX.Element {
  return (
    <section class="card">
      {title !== undefined && <div class="card-head"><h2>{title}</h2>{actions}</div>}
      {children}
      {foot !== undefined && <div class="card-foot">{foot}</div>}
    </section>
  );
}

export function PageHead({ title, about, back, actions }: { title: ComponentChildren; about?: ComponentChildren; back?: { to: string; word: Word }; actions?: ComponentChildren }): JSX.Element {
  return (
    <header class="page-head">
      <div>
        {back && <A class="crumb" to={back.to}><Icon name="left" size={14} />{t(back.word)}</A>}
        <h1 class="break">{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {actions && <div class="wrap page-actions">{actions}</div>}
    </header>
  );
}

/** A field with its label, its hint and what is wrong with it. */
export function Field({ label, hint, wrong, children }: { label: ComponentChildren; hint?: ComponentChildren; wrong?: string | undefined; children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => ComponentChildren }): JSX.Element {
  const id = useId();
  const told = wrong ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(told ? { 'aria-describedby': `${id}-t` } : {}), ...(wrong ? { 'aria-invalid': true } : {}) })}
      {told && <span id={`${id}-t`} class={wrong ? 'wrong' : 'hint'} {...(wrong ? { role: 'alert' } : {})}>{told}</span>}
    </div>
  );
}

interface TextProps {
  label: ComponentChildren; value: string; set: (value: string) => void; hint?: ComponentChildren; wrong?: string | undefined;
  type?: 'text' | 'url' | 'password' | 'number' | 'datetime-local'; name?: string; placeholder?: string; required?: boolean; maxLength?: number; min?: number;
  inputMode?: 'url' | 'text' | 'numeric'; autocomplete?: 'off' | 'current-password'; focus?: boolean;
}

export function TextField({ label, value, set, hint, wrong, type = 'text', focus = false, ...rest }: TextProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => { if (focus) input.current?.focus(); }, []);
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(ids) => <input {...rest} {...ids} ref={input} type={type as 'text'} class="input" value={value} onInput={(event) => set(event.currentTarget.value)} />}
    </Field>
  );
}

export function Switch({ on, set, children }: { on: boolean; set: (on: boolean) => void; children: ComponentChildren }): JSX.Element {
  return (
    <label class="switch">
      <input type="checkbox" role="switch" checked={on} onChange={(event) => set(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

export function Segments<T extends string>({ label, options, value, set, wide = false }: { label: string; options: readonly (readonly [T, ComponentChildren])[]; value: T; set: (value: T) => void; wide?: boolean }): JSX.Element {
  return (
    <div class={wide ? 'segments wide' : 'segments'} role="group" aria-label={label}>
      {options.map(([name, shown]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => set(name)}>{shown}</button>
      ))}
    </div>
  );
}

export function Tabs<T extends string>({ label, options, value, set }: { label: string; options: readonly (readonly [T, string])[]; value: T; set: (value: T) => void }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex(([name]) => name === value);
    const next = options[(at + step + options.length) % options.length];
    if (!next) return;
    set(next[0]);
    list.current?.querySelectorAll('button')[options.indexOf(next)]?.focus();
  };
  // The chosen one is in sight, also where not all fit.
  useEffect(() => {
    const tab = list.current?.querySelector<HTMLElement>('[aria-selected=true]');
    if (list.current && tab) list.current.scrollLeft = tab.offsetLeft - list.current.offsetLeft - 40;
  }, [value, options.map(([, shown]) => shown).join()]);
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
      {options.map(([name, shown]) => (
        <button key={name} type="button" role="tab" aria-selected={name === value} tabIndex={name === value ? 0 : -1} onClick={() => set(name)}>{shown}</button>
      ))}
    </div>
  );
}

export function Select({ label, value, set, options, class: extra = 'select-small' }: { label: string; value: string; set: (value: string) => void; options: readonly (readonly [string, string])[]; class?: string }): JSX.Element {
  return (
    <select class={`input ${extra}`} aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {options.map(([name, shown]) => <option key={name} value={name}>{shown}</option>)}
    </select>
  );
}

export function Search({ label, value, set }: { label: string; value: string; set: (value: string) => void }): JSX.Element {
  const [typed, setTyped] = useState(value);
  const timer = useRef(0);
  useEffect(() => setTyped(value), [value]);
  return (
    <div class="search">
      <Icon name="search" size={16} />
      <input class="input" type="search" aria-label={label} placeholder={label} value={typed} onInput={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => set(text), 250);
      }} />
    </div>
  );
}

/** What the columns of a `headed` list are; on a phone each row says it itself. */
export function ListHead({ lead, first, names }: { lead?: ComponentChildren; first: string; names: readonly string[] }): JSX.Element {
  return (
    <div class="list-head">
      {lead}
      <span class="grow" aria-hidden="true">{first}</span>
      <span class="stats" aria-hidden="true">{names.map((name) => <span key={name}>{name}</span>)}</span>
    </div>
  );
}

/** Places where content will be, of about its size. */
export function Bones({ rows = 5, height = 34 }: { rows?: number; height?: number }): JSX.Element {
  return (
    <div class="card-body" aria-hidden="true">
      {Array.from({ length: rows }, (_, at) => <div key={at} class="bone" style={{ height: `${height}px`, width: `${100 - (at % 3) * 9}%` }} />)}
    </div>
  );
}

export function Empty({ icon, title, children, low = false }: { icon: IconName; title: string; children?: ComponentChildren; low?: boolean }): JSX.Element {
  return (
    <div class={low ? 'empty low' : 'empty'}>
      <span class="glyph"><Icon name={icon} size={20} /></span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Note({ kind = '', children }: { kind?: '' | 'bad' | 'warn' | 'good'; children: ComponentChildren }): JSX.Element {
  return (
    <div class={`note ${kind}`} role={kind === 'bad' ? 'alert' : 'note'}>
      <Icon name={kind === 'bad' || kind === 'warn' ? 'warn' : kind === 'good' ? 'check' : 'info'} size={17} />
      <div class="break grow">{children}</div>
    </div>
  );
}

/** What went wrong, and what to do. */
export function Failed({ error, retry }: { error: ApiError; retry?: () => void }): JSX.Element {
  return (
    <div class="card-body">
      <Note kind="bad">
        <p class="strong">{error.status === 403 ? t('error.forbidden') : error.status === 404 ? t('error.not_found') : t('error.failed')}</p>
        <p>{error.message}</p>
      </Note>
      {retry && <div><Button small onClick={retry}>{t('retry')}</Button></div>}
    </div>
  );
}

/** Shows what was loaded; bones before, and what went wrong instead. */
export function Shown<T>({ of, bones, children }: { of: { data: T | undefined; error: ApiError | undefined; reload: () => void }; bones?: ComponentChildren; children: (data: T) => ComponentChildren }): JSX.Element {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <Failed error={of.error} retry={of.reload} />;
  return <>{bones ?? <Bones />}<span class="hide" role="status">{t('loading')}</span></>;
}

const toasts = new Set<(text: string) => void>();

/** Says something for a moment. */
export const toast = (text: string): void => toasts.forEach((show) => show(text));

export function Toasts(): JSX.Element {
  const [shown, setShown] = useState<{ id: number; text: string }[]>([]);
  useEffect(() => {
    const show = (text: string): void => {
      const id = Date.now() + Math.random();
      setShown((all) => [...all, { id, text }]);
      window.setTimeout(() => setShown((all) => all.filter((one) => one.id !== id)), 3500);
    };
    toasts.add(show);
    return () => void toasts.delete(show);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text }) => <div key={id} class="toast"><Icon name="check" size={16} /><span class="break">{text}</span></div>)}
    </div>
  );
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without leave, or without https: the old way.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(t('copied'));
}

export function Copy({ text, label, small = true }: { text: string; label?: string; small?: boolean }): JSX.Element {
  return <Button kind="quiet" small={small} icon="copy" label={label ?? t('copy')} onClick={() => void copy(text)} />;
}

export function Code({ text }: { text: string }): JSX.Element {
  return (
    <div class="code">
      <Button small icon="copy" label={t('copy')} onClick={() => void copy(text)} />
      <pre tabIndex={0}><code>{text}</code></pre>
    </div>
  );
}

export function Dialog({ open, close, title, children }: { open: boolean; close: () => void; title: string; children: ComponentChildren }): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open && !element.current?.open) element.current?.showModal();
    if (!open && element.current?.open) element.current.close();
  }, [open]);
  return (
    <dialog class="dialog" ref={element} aria-labelledby={id} onClose={close}>
      {open && (
        <div class="dialog-body">
          <div class="spread"><h2 id={id}>{title}</h2><Button kind="quiet" small icon="close" label={t('close')} onClick={close} /></div>
          {children}
        </div>
      )}
    </dialog>
  );
}
