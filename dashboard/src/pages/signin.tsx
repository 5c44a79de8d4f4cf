// An API key, once, for a session; or Cloudflare Access, if it stands before the dashboard.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get, post, type Session } from '../api';
import { currentLanguage, setLanguage, t } from '../i18n';
import { Button, Note, Segments, TextField } from '../ui/parts';

interface Props {
  told: string | undefined;
  signedIn: (session: Session) => void;
  again: () => void;
  /** Whether somebody who just came may be signed in unasked; not who just signed out. */
  unasked: boolean;
}

export function SignIn({ told, signedIn, again, unasked }: Props): JSX.Element {
  const [hasAccess, setHasAccess] = useState(false);
  const [key, setKey] = useState('');
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const byAccess = (): void => {
    setBusy(true);
    post<Session>('/session', { access: true })
      .then(signedIn)
      .catch((error: unknown) => setRefused(error instanceof ApiError && error.status === 401 ? t('signin.access.refused') : (error as Error).message))
      .finally(() => setBusy(false));
  };
  useEffect(() => {
    get<{ configured: boolean }>('/session/access').then(({ configured }) => {
      setHasAccess(configured);
      if (configured && unasked) byAccess();
    }).catch(() => undefined);
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!key.trim()) return setWrong(t('signin.empty'));
    setBusy(true);
    post<Session>('/session', { apiKey: key.trim() })
      .then(signedIn)
      .catch((error: unknown) => setWrong(error instanceof ApiError && error.status === 401 ? t('signin.wrong') : String((error as Error).message)))
      .finally(() => setBusy(false));
  };
  return (
    <main class="signin">
      <form class="card signin-card" onSubmit={submit} noValidate>
        <div class="spread">
          <img src="/app/icon.svg" alt="" width="44" height="44" />
          <Segments label={t('language')} value={currentLanguage()} options={[['en', 'EN'], ['fr', 'FR']]} set={(language) => { setLanguage(language); again(); }} />
        </div>
        <div class="stack-small">
          <h1>{t('signin.title')}</h1>
          <p class="muted">{t('signin.about')}</p>
        </div>
        {told && !wrong && <Note kind="warn">{told}</Note>}
        {hasAccess && (
          <div class="stack-small">
            {refused && <Note kind="bad">{refused}</Note>}
            <Button kind="primary" class="wide" disabled={busy} onClick={byAccess}>{t('signin.access')}</Button>
          </div>
        )}
        <TextField label={t('signin.key')} type="password" name="api-key" autocomplete="current-password" placeholder="pimms_…" value={key} set={(text) => { setKey(text); setWrong(undefined); }} wrong={wrong} hint={t('signin.hint')} />
        <Button kind="primary" class="wide" type="submit" disabled={busy}>{busy ? t('signin.busy') : t('signin.go')}</Button>
      </form>
    </main>
  );
}
