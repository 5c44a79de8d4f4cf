// The public page of a link: its clicks, for whoever has the address. Nobody is signed in here.

import type { ComponentType, JSX } from 'preact';
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import type { Query } from '../api';
import { useData } from '../data';
import { compact, currentLanguage, number, setLanguage, t, type Word } from '../i18n';
import { shownValue } from '../report';
import { setQuery, usePlace } from '../router';
import { choice, INTERVALS } from '../span';
import { currentTheme, toggleTheme } from '../theme';
import type { ChartProps } from '../ui/chart-types';
import { Bones, Button, Card, Empty, Failed, PageHead, Segments, Select, Shown, Tabs } from '../ui/parts';

interface Page { domain: string; key: string; shortLink: string; title: string | null; timezone: string | null }
type Row = { clicks: number; start?: string } & Record<string, unknown>;

/** The fields of a group's rows. */
const FIELDS: Record<string, string> = { referers: 'referer', countries: 'country', cities: 'city', regions: 'region', devices: 'device', browsers: 'browser', os: 'os' };

// The mode of a signed-in reader is of no meaning here: clicks have none.
const asPublic = (query: Query): Query => ({ ...query, mode: undefined });

const exact = (value: number): string => number(value);
const short = (value: number): string => compact(value);

export function Share({ id }: { id: string }): JSX.Element {
  const { query } = usePlace();
  const [, again] = useReducer((n: number) => n + 1, 0);
  const path = `/share/${encodeURIComponent(id)}`;
  const page = useData<Page>(path, asPublic({}));
  const found = page.data;
  const name = found && (found.title || found.shortLink.replace(/^https:\/\//, ''));
  const { interval } = choice(query);
  const span = asPublic({ interval, timezone: found?.timezone ?? undefined });
  useEffect(() => { document.title = `${name ?? t('public.title')} · pimms-edge`; }, [name]);
  return (
    <div class="public">
      <header class="spread public-head">
        <span class="brand"><img src="/app/icon.svg" alt="" width="26" height="26" />pimms-edge</span>
        <div class="pair">
          <Segments label={t('language')} value={currentLanguage()} options={[['en', 'EN'], ['fr', 'FR']]} set={(language) => { setLanguage(language); again(0); }} />
          <Button kind="quiet" icon={currentTheme() === 'dark' ? 'sun' : 'moon'} label={t('theme')} onClick={() => { toggleTheme(); again(0); }} />
        </div>
      </header>
      <main class="page" id="content" tabIndex={-1}>
        {page.error?.status === 404 ? (
          <><PageHead title={t('public.title')} /><Card><Empty icon="search" title={t('public.gone')}><p>{t('public.gone.text')}</p></Empty></Card></>
        ) : page.error && !found ? (
          <><PageHead title={t('public.title')} /><Card><Failed error={page.error} retry={page.reload} /></Card></>
        ) : !found ? <Bones rows={5} height={60} /> : (
          <>
            <PageHead
              title={name}
              about={<a href={found.shortLink} rel="noreferrer noopener">{found.shortLink.replace(/^https:\/\//, '')}</a>}
              actions={<Select label={t('interval')} value={interval} set={(next) => setQuery({ interval: next })} options={INTERVALS.map((one) => [one, t(`interval.${one}` as Word)])} />}
            />
            <Figures path={`${path}/analytics`} span={span} />
            <div class="cols">
              <Values path={`${path}/analytics`} span={span} groups={['referers']} label={t('sources')} />
              <Values path={`${path}/analytics`} span={span} groups={['countries', 'cities', 'regions']} label={t('places')} />
              <Values path={`${path}/analytics`} span={span} groups={['devices', 'browsers', 'os']} label={t('technology')} />
            </div>
            <p class="muted small">{t('public.by')}</p>
          </>
        )}
      </main>
    </div>
  );
}

function Figures({ path, span }: { path: string; span: Query }): JSX.Element {
  const count = useData<{ clicks: number }>(path, span);
  const series = useData<Row[]>(path, { ...span, groupBy: 'timeseries' });
  const [Chart, setChart] = useState<ComponentType<ChartProps>>();
  useEffect(() => void import('../ui/chart').then((loaded) => setChart(() => loaded.default)), []);
  const points = useMemo(() => series.data?.map((row) => ({ start: row.start ?? '', value: row.clicks })), [series.data]);
  return (
    <Card>
      <div class="figures one">
        <div class="figure"><span class="name"><i class="dot" />{t('clicks')}</span><span class="value">{count.data ? number(count.data.clicks) : <span class="bone" style={{ display: 'block', width: '120px', height: '32px' }} />}</span></div>
      </div>
      {series.error ? <Failed error={series.error} retry={series.reload} /> : points && Chart ? <Chart points={points} previous={undefined} show={exact} showAxis={short} label={t('clicks')} /> : <div class="chart"><div class="bone" style={{ height: '100%' }} /></div>}
    </Card>
  );
}

function Values({ path, span, groups, label }: { path: string; span: Query; groups: readonly string[]; label: string }): JSX.Element {
  const [group, setGroup] = useState(groups[0] ?? '');
  const rows = useData<Row[]>(path, { ...span, groupBy: group });
  const field = FIELDS[group] ?? '';
  const isOf = rows.data?.length === 0 || rows.data?.[0]?.[field] !== undefined;
  return (
    <section class="card" aria-label={label}>
      <Tabs label={label} value={group} set={setGroup} options={groups.map((name) => [name, t(`group.${name}` as Word)])} />
      <Shown of={isOf ? rows : { ...rows, data: undefined }} bones={<Bones rows={6} height={30} />}>
        {(found) => found.length === 0 ? <Empty low icon="overview" title={t('breakdown.empty')} /> : (
          <>
            <div class="bar-head one"><span>{t(`group.${group}` as Word)}</span><span class="end">{t('clicks')}</span></div>
            <ul class="bars">
              {found.slice(0, 10).map((row) => (
                <li key={JSON.stringify([row[field], row['country']])} class="bar-row one">
                  <i class="bar" style={{ width: `${(row.clicks / Math.max(1, found[0]?.clicks ?? 1)) * 100}%` }} />
                  <span class="cut">{shownValue(field, String(row[field] ?? ''))}</span>
                  <span class="end num strong">{number(row.clicks)}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </Shown>
    </section>
  );
}
