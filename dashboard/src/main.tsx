// Starts the dashboard: who is signed in, then the pages.

import { render, type ComponentType, type JSX } from 'preact';
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { ApiError, currentMode, get, post, remove, setMode, signedOut, whenSignedOut, type Session, type Workspace } from './api';
import { currentLanguage, setLanguage, t, type Word } from './i18n';
import { SignIn } from './pages/signin';
import type { PageProps } from './page';
import { A, go, here, toContent, usePlace } from './router';
import { setDefaults } from './span';
import { currentTheme, toggleTheme } from './theme';
import { Icon, type IconName } from './ui/icons';
import { Bones, Button, Card, Empty, Failed, Note, PageHead, Segments, toast, Toasts } from './ui/parts';

type Page = ComponentType<PageProps>;
type Loader = () => Promise<Page>;

const PAGES: readonly (readonly [RegExp, Loader, Word])[] = [
  [/^\/$/, () => import('./pages/overview').then((m) => m.Overview), 'nav.overview'],
  [/^\/links$/, () => import('./pages/links').then((m) => m.Links), 'nav.links'],
  [/^\/links\/new$/, () => import('./pages/builder').then((m) => m.Builder), 'nav.links'],
  [/^\/links\/([^/]+)$/, () => import('./pages/link').then((m) => m.LinkPage), 'nav.links'],
  [/^\/links\/([^/]+)\/edit$/, () => import('./pages/builder').then((m) => m.Builder), 'nav.links'],
  [/^\/customers$/, () => import('./pages/customers').then((m) => m.Customers), 'nav.customers'],
  [/^\/customers\/([^/]+)$/, () => import('./pages/customer').then((m) => m.CustomerPage), 'nav.customers'],
  [/^\/sales$/, () => import('./pages/sales').then((m) => m.Sales), 'nav.sales'],
  [/^\/sales\/([^/]+)$/, () => import('./pages/sale').then((m) => m.SalePage), 'nav.sales'],
  [/^\/events$/, () => import('./pages/events').then((m) => m.Events), 'nav.events'],
  [/^\/stripe$/, () => import('./pages/stripe').then((m) => m.Stripe), 'nav.stripe'],
  [/^\/settings\/data$/, () => import('./pages/transfer').then((m) => m.Transfer), 'transfer.title'],
  [/^\/settings$/, () => import('./pages/settings').then((m) => m.Settings), 'nav.settings'],
];

const NAV: readonly (readonly [string, Word, IconName])[] = [
  ['/', 'nav.overview', 'overview'],
  ['/links', 'nav.links', 'links'],
  ['/customers', 'nav.customers', 'customers'],
  ['/sales', 'nav.sales', 'sales'],
  ['/events', 'nav.events', 'events'],
  ['/stripe', 'nav.stripe', 'stripe'],
  ['/settings', 'nav.settings', 'settings'],
];

function isCurrent(to: string, path: string): boolean {
  return to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`);
}

function Frame({ session, again }: { session: Session; again: () => void }): JSX.Element {
  const { path } = usePlace();
  const [open, setOpen] = useState(false);
  const [workspace, setWorkspace] = useState<Workspace>();
  const [page, setPage] = useState<{ at: string; Page?: Page; error?: ApiError }>({ at: '' });
  const side = useRef<HTMLElement>(null);
  const came = useRef(path);
  const found = PAGES.find(([pattern]) => pattern.test(path));
  const id = decodeURIComponent(found?.[0].exec(path)?.[1] ?? '');

  const refresh = (): void => {
    get<Workspace>(`/workspaces/${session.workspaceId}`).then((found) => { setDefaults(found); setWorkspace(found); }).catch(() => undefined);
  };
  useMemo(() => setDefaults(session), [session]);
  useEffect(refresh, [session.workspaceId]);
  useEffect(() => {
    setOpen(false);
    if (!found) return;
    document.title = `${t(found[2])} · pimms-edge`;
    found[1]().then(
      (loaded) => setPage({ at: path, Page: loaded }),
      () => setPage({ at: path, error: new ApiError(0, 'stale', t('error.stale')) }),
    );
  }, [path, currentLanguage()]);
  useEffect(() => {
    if (!open) return undefined;
    side.current?.querySelector<HTMLElement>('nav a')?.focus();
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      document.getElementById('menu')?.focus();
    };
    window.addEventListener('keydown', escape);
    return () => window.removeEventListener('keydown', escape);
  }, [open]);
  // Another page begins at its top, for the keyboard and for who listens, too.
  useEffect(() => {
    if (page.at === path && came.current !== path) toContent();
    if (page.at === path) came.current = path;
  }, [page.at, path]);

  const leave = (): void => void remove('/session').then(signedOut, (error: unknown) => toast((error as Error).message));
  const { Page } = page;
  return (
    <div class="frame">
      <a class="skip" href="#content">{t('skip')}</a>
      <div class="top">
        <A class="brand" to="/"><img src="/app/icon.svg" alt="" width="26" height="26" /><span class="cut">{workspace?.name ?? 'pimms-edge'}</span></A>
        <Button kind="quiet" icon={open ? 'close' : 'menu'} label={t('menu')} id="menu" aria-expanded={open} onClick={() => setOpen(!open)} />
      </div>
      <aside ref={side} class={open ? 'side open' : 'side'}>
        <A class="brand" to="/"><img src="/app/icon.svg" alt="" width="26" height="26" /><span class="cut">{workspace?.name ?? 'pimms-edge'}</span></A>
        <nav class="nav" aria-label={t('menu')}>
          {NAV.map(([to, word, icon]) => (
            <A key={to} to={to} {...(isCurrent(to, path) ? { 'aria-current': 'page' as const } : {})}><Icon name={icon} />{t(word)}</A>
          ))}
        </nav>
        <div class="side-foot">
          <Segments wide label={t('mode')} value={currentMode()} options={[['live', t('mode.live')], ['test', t('mode.test')]]} set={(mode) => { setMode(mode); again(); }} />
          <div class="spread">
            <Segments label={t('language')} value={currentLanguage()} options={[['en', 'EN'], ['fr', 'FR']]} set={(language) => { setLanguage(language); again(); }} />
            <div class="pair">
              <Button kind="quiet" icon={currentTheme() === 'dark' ? 'sun' : 'moon'} label={t('theme')} onClick={() => { toggleTheme(); again(); }} />
              <Button kind="quiet" icon="out" label={t('signout')} onClick={leave} />
            </div>
          </div>
        </div>
      </aside>
      <main class="page" id="content" tabIndex={-1} inert={open} key={`${currentMode()} ${currentLanguage()}`}>
        {currentMode() === 'test' && <Note kind="warn">{t('mode.note')}</Note>}
        {!found ? (
          <><PageHead title={t('lost.title')} /><Card><Empty icon="search" title={t('error.not_found')}><p>{t('lost.text')}</p><Button onClick={() => go('/')}>{t('nav.overview')}</Button></Empty></Card></>
        ) : page.error ? (
          <Failed error={page.error} retry={() => location.reload()} />
        ) : Page && page.at === path ? (
          <Page key={path} session={session} workspace={workspace} id={id} refresh={refresh} />
        ) : (
          <Bones rows={6} height={60} />
        )}
      </main>
      <Toasts />
    </div>
  );
}

/** The token of a sign-in link, taken out of the address at once. */
function takeToken(): string | null {
  const token = /^#sign-in=(.+)$/.exec(location.hash)?.[1] ?? null;
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

function App(): JSX.Element {
  const [session, setSession] = useState<Session | null>();
  const [told, setTold] = useState<string>();
  const [unasked, setUnasked] = useState(true);
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    whenSignedOut((asked) => {
      setTold(asked ? undefined : t('signin.ended'));
      setUnasked(false);
      setSession(null);
    });
    const token = takeToken();
    const asked = token ? post<Session>('/session', { token }) : get<Session>('/session');
    asked.then(setSession).catch((error: unknown) => {
      if (token) {
        // An old link in a browser that is signed in already is no reason to ask again.
        get<Session>('/session').then(setSession).catch(() => { setTold(t('signin.used')); setSession(null); });
        return;
      }
      if (error instanceof ApiError && error.status !== 401) setTold(error.message);
      setSession(null);
    });
  }, []);
  useEffect(() => { if (session === null) document.title = `${t('signin.title')} · pimms-edge`; }, [session]);
  if (session === undefined) return <main class="page"><Bones rows={4} height={60} /><span class="hide" role="status">{t('loading')}</span></main>;
  if (session === null) return <SignIn told={told} signedIn={(next) => { setTold(undefined); setSession(next); }} again={() => again(0)} unasked={unasked} />;
  return <Frame session={session} again={() => again(0)} />;
}

/** A public page: whoever has its address sees it, signed in or not. */
function Public({ id }: { id: string }): JSX.Element {
  const [Page, setPage] = useState<ComponentType<{ id: string }>>();
  useEffect(() => void import('./pages/share').then((loaded) => setPage(() => loaded.Share)), []);
  return Page ? <Page id={id} /> : <main class="page"><Bones rows={4} height={60} /></main>;
}

const root = document.getElementById('app');
const shared = /^\/share\/([^/]+)$/.exec(here().path)?.[1];
if (root) render(shared ? <Public id={decodeURIComponent(shared)} /> : <App />, root);
