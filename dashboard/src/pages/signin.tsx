// An API key, once, for a session.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, post, type Session } from '../api';
import { currentLanguage, setLanguage, t } from '../i18n';
import { Button, Note, Segments, TextField } from '../ui/parts';

export function SignIn({ told, signedIn, again }: { told: string | undefined; signedIn: (session: Session) => void; again: () => void }): JSX.Element {
  const [key, setKey] = useState('');
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
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
        <TextField label={t('signin.key')} type="password" name="api-key" autocomplete="current-password" placeholder="pimms_…" value={key} set={(text) => { setKey(text); setWrong(undefined); }} wrong={wrong} hint={t('signin.hint')} />
        <Button kind="primary" class="wide" type="submit" disabled={busy}>{busy ? t('signin.busy') : t('signin.go')}</Button>
      </form>
    </main>
  );
}
