// Links from a file, and whole lists as files.

import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../page';
import { useData } from '../data';
import { number, t, type Word } from '../i18n';
import { parse, type Row } from '../transfer/csv';
import { download } from '../transfer/download';
import { run, type Outcome, type Progress } from '../transfer/run';
import { Button, Card, Code, Field, Note, PageHead, Segments, toast } from '../ui/parts';

const SHOWN = 50;
const MAX_BYTES = 20 * 1024 * 1024;

export function Transfer({ session }: PageProps): JSX.Element {
  const may = (name: string): boolean => session.permissions.includes(name);
  return (
    <>
      <PageHead title={t('transfer.title')} about={t('transfer.about')} back={{ to: '/settings', word: 'nav.settings' }} />
      {may('links.write') && <Import />}
      <Exports may={may} />
      <Card title={t('transfer.other')}>
        <div class="card-body stack-small">
          <p class="muted">{t('transfer.other.text')}</p>
          <Code text={`cargo run -- import --from-api https://api.dub.co --from-key dub_… --url ${location.origin} --api-key pimms_…`} />
        </div>
      </Card>
    </>
  );
}

const why = (row: Row): string => (row.wrong ? t(`transfer.wrong.${row.wrong.kind}` as Word, { column: row.wrong.column, value: row.wrong.value }) : '');

function Import(): JSX.Element {
  const domains = useData<{ slug: string }[]>('/domains');
  const [file, setFile] = useState<{ name: string; text: string }>();
  const [domain, setDomain] = useState('');
  const [failed, setFailed] = useState<string>();
  const [progress, setProgress] = useState<Progress>();
  const [outcome, setOutcome] = useState<Outcome>();
  const control = useRef<AbortController | undefined>(undefined);
  const parsed = useMemo(() => (file ? parse(file.text, domain) : undefined), [file, domain]);
  const good = parsed?.rows.filter((row) => !row.wrong).length ?? 0;
  const wrong = (parsed?.rows.length ?? 0) - good;
  useEffect(() => () => control.current?.abort(), []);

  const choose = (input: HTMLInputElement): void => {
    const chosen = input.files?.[0];
    setOutcome(undefined);
    setFailed(undefined);
    setFile(undefined);
    if (!chosen) return;
    if (chosen.size > MAX_BYTES) return setFailed(t('transfer.big', { mb: MAX_BYTES / 1024 / 1024 }));
    chosen.text().then((text) => setFile({ name: chosen.name, text }), () => setFailed(t('transfer.unreadable')));
  };
  const start = (): void => {
    if (!parsed) return;
    const mine = new AbortController();
    control.current = mine;
    setFailed(undefined);
    setOutcome(undefined);
    setProgress({ done: 0, of: good });
    run(parsed.rows, mine.signal, setProgress, { different: (fields) => t('transfer.different', { fields }) })
      .then((result) => setOutcome({ ...result, refused: result.refused.map((one) => ({ ...one, why: one.why || why(parsed.rows.find((row) => row.line === one.line) as Row) })) }))
      .catch((error: unknown) => { setOutcome((error as { outcome?: Outcome }).outcome); setFailed(`${(error as Error).message} ${t('transfer.again')}`); })
      .finally(() => setProgress(undefined));
  };
  return (
    <Card title={t('transfer.import')}>
      <div class="card-body stack">
        <p class="muted">{t('transfer.import.about')}</p>
        <Field label={t('transfer.file')} hint={t('transfer.file.hint')} wrong={failed}>
          {(ids) => <input {...ids} class="input" type="file" accept=".csv,.tsv,text/csv,text/tab-separated-values" disabled={progress !== undefined} onChange={(event) => choose(event.currentTarget)} />}
        </Field>
        {parsed && !parsed.hasUrl && <Note kind="bad">{t('transfer.noColumn')}</Note>}
        {parsed?.hasUrl && (
          <>
            <Field label={t('transfer.domain')}>
              {(ids) => (
                <select {...ids} class="input" value={domain} disabled={progress !== undefined} onChange={(event) => setDomain(event.currentTarget.value)}>
                  <option value="">{t('transfer.domain.own')}</option>
                  {(domains.data ?? []).map(({ slug }) => <option key={slug} value={slug}>{slug}</option>)}
                </select>
              )}
            </Field>
            <p role="status">{t('transfer.preview', { good: number(good), wrong: number(wrong) })} {parsed.ignored.length > 0 && <span class="muted">{t('transfer.ignored', { columns: parsed.ignored.join(', ') })}</span>}</p>
            {!outcome && <Preview rows={parsed.rows} />}
            {progress ? (
              <div class="stack-small">
                <progress class="progress" max={progress.of} value={progress.done} aria-label={t('transfer.import')} />
                <div class="wrap"><span role="status">{t('transfer.progress', { done: number(progress.done), of: number(progress.of) })}</span><Button small onClick={() => control.current?.abort()}>{t('cancel')}</Button></div>
              </div>
            ) : (
              <div class="wrap"><Button kind="primary" disabled={good === 0} onClick={start}>{t(outcome ? 'transfer.anew' : 'transfer.start', { n: number(good) })}</Button></div>
            )}
          </>
        )}
        {outcome && <Account of={outcome} />}
      </div>
    </Card>
  );
}

function Preview({ rows }: { rows: readonly Row[] }): JSX.Element {
  // What is wrong is worth more than what is right.
  const first = [...rows.filter((row) => row.wrong), ...rows.filter((row) => !row.wrong)].slice(0, SHOWN);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t('transfer.lines')}>
      <table class="table">
        <thead><tr><th scope="col">{t('transfer.line')}</th><th scope="col">{t('transfer.link')}</th><th scope="col">{t('transfer.to')}</th></tr></thead>
        <tbody>
          {first.map((row) => (
            <tr key={row.line}>
              <td class="num">{row.line}</td>
              <td class="break">{row.link.key ? row.name : t('transfer.random')}</td>
              <td class="break">{row.wrong ? <span class="wrong">{why(row)}</span> : String(row.link.url)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > SHOWN && <p class="small muted">{t('transfer.more', { n: number(rows.length - SHOWN) })}</p>}
    </div>
  );
}

function Account({ of }: { of: Outcome }): JSX.Element {
  const counts: readonly (readonly [Word, number])[] = [['transfer.read', of.read], ['transfer.created', of.created], ['transfer.unchanged', of.unchanged], ['transfer.refused', of.refused.length]];
  return (
    <div class="stack-small" role="status">
      {!of.isWhole && <Note kind="warn">{t('transfer.cut')}</Note>}
      <table class="table account">
        <thead><tr>{counts.map(([word]) => <th key={word} scope="col">{t(word)}</th>)}</tr></thead>
        <tbody><tr>{counts.map(([word, count]) => <td key={word} class="num">{number(count)}</td>)}</tr></tbody>
      </table>
      {of.refused.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('transfer.refused')}>
          <table class="table">
            <thead><tr><th scope="col">{t('transfer.line')}</th><th scope="col">{t('transfer.link')}</th><th scope="col">{t('transfer.why')}</th></tr></thead>
            <tbody>{of.refused.slice(0, 500).map((one) => <tr key={one.line}><td class="num">{one.line}</td><td class="break">{one.name}</td><td class="break">{one.why}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}

const LISTS = [
  ['links', '/links/export', 'links.read', {}],
  ['customers', '/customers/export', 'customers.read', {}],
  ['sales', '/sales/export', 'analytics.read', {}],
  ['events', '/events/export', 'analytics.read', { event: 'all', interval: 'all' }],
] as const;

function Exports({ may }: { may: (name: string) => boolean }): JSX.Element {
  const [format, setFormat] = useState<'csv' | 'ndjson'>('csv');
  const [running, setRunning] = useState<{ name: string; bytes: number }>();
  const [failed, setFailed] = useState<string>();
  const control = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => control.current?.abort(), []);
  const start = (name: string, path: string, query: Record<string, string>): void => {
    const mine = new AbortController();
    control.current = mine;
    setFailed(undefined);
    setRunning({ name, bytes: 0 });
    download(path, { ...query, format }, mine.signal, (bytes) => setRunning({ name, bytes }))
      .then((file) => toast(t('transfer.saved', { file })))
      .catch((error: unknown) => void (mine.signal.aborted || setFailed((error as Error).message)))
      .finally(() => setRunning(undefined));
  };
  return (
    <Card title={t('transfer.export')} actions={<Segments label={t('transfer.format')} options={[['csv', 'CSV'], ['ndjson', 'NDJSON']]} value={format} set={setFormat} />}>
      {failed && <div class="card-body"><Note kind="bad">{failed}</Note></div>}
      <ul class="list">
        {LISTS.filter(([, , permission]) => may(permission)).map(([name, path, , query]) => (
          <li key={name}>
            <div class="grow"><p class="strong">{t(`transfer.${name}` as Word)}</p><p class="small muted">{t(`transfer.${name}.text` as Word)}</p></div>
            {running?.name === name ? (
              <div class="wrap"><span class="small" role="status">{t('transfer.bytes', { kb: number(Math.ceil(running.bytes / 1024)) })}</span><Button small onClick={() => control.current?.abort()}>{t('cancel')}</Button></div>
            ) : (
              <Button small disabled={running !== undefined} aria-label={`${t('transfer.download')}: ${t(`transfer.${name}` as Word)}`} onClick={() => start(name, path, query)}>{t('transfer.download')}</Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
