// The sessions of the key that signed in: this one, and all of them.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { remove, signedOut, type Session } from '../api';
import { dateTime, t } from '../i18n';
import { Button, Card, Dialog, Note } from '../ui/parts';

export function Sessions({ session }: { session: Session }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<string>();
  const end = (path: string): void => void remove(path).then(signedOut, (error: unknown) => { setAsking(false); setFailed((error as Error).message); });
  return (
    <Card title={t('sessions.title')}>
      <div class="card-body stack">
        {failed && <Note kind="bad">{failed}</Note>}
        <p>{session.expiresAt ? t('sessions.until', { when: dateTime(session.expiresAt) }) : ''} <span class="muted">{t('sessions.about')}</span></p>
        <div class="wrap">
          <Button icon="out" onClick={() => end('/session')}>{t('sessions.here')}</Button>
          <Button kind="danger" onClick={() => setAsking(true)}>{t('sessions.everywhere')}</Button>
        </div>
      </div>
      <Dialog open={asking} close={() => setAsking(false)} title={t('sessions.everywhere.title')}>
        <p>{t('sessions.everywhere.text')}</p>
        <div class="wrap">
          <Button kind="danger" onClick={() => end('/session/all')}>{t('sessions.everywhere')}</Button>
          <Button onClick={() => setAsking(false)}>{t('cancel')}</Button>
        </div>
      </Dialog>
    </Card>
  );
}
