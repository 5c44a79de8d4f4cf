// The report of a span: figures, chart and breakdowns. The overview shows it of everything, a link's page of the link.

import type { ComponentChildren, ComponentType, JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Link, Metrics, Query } from './api';
import { useData } from './data';
import { compact, countryName, known, money, number, percent, t, type Word } from './i18n';
import { setQuery, usePlace } from './router';
import { shortName } from './links';
import { asked, choice, chooseDay, chooseInterval, chooseZone, CUSTOM, defaultModel, INTERVALS, MODELS, zones, type Choice } from './span';
import { bucketMs, type ChartProps, type Point } from './ui/chart-types';
import { Icon } from './ui/icons';
import { Bones, Card, Empty, Failed, Segments, Select, Shown, Tabs } from './ui/parts';

type Measure = 'clicks' | 'leads' | 'sales' | 'saleAmount';
const MEASURES: readonly Measure[] = ['clicks', 'leads', 'sales', 'saleAmount'];
type Row = Metrics & Record<string, unknown>;
type Series = (Metrics & { start: string })[];

/** Which span: of the usual ones, or from day to day. */
export function IntervalControls({ chosen }: { chosen: Choice }): JSX.Element {
  return (
    <>
      <Select label={t('interval')} value={chosen.interval} set={(interval) => chooseInterval(interval, chosen.timezone)} options={[...INTERVALS, CUSTOM].map((name) => [name, t(`interval.${name}` as Word)])} />
      {chosen.interval === CUSTOM && (['from', 'to'] as const).map((name) => (
        <input key={name} class="input select-small" type="date" required aria-label={t(`interval.${name}` satisfies Word)} value={chosen[name]} onChange={(event) => chooseDay(name, event.currentTarget.value)} />
      ))}
    </>
  );
}

/** Interval and time zone; model and net or gross, where they matter. */
export function SpanControls({ chosen, only = false }: { chosen: Choice; only?: boolean }): JSX.Element {
  return (
    <>
      <IntervalControls chosen={chosen} />
      <Select label={t('timezone')} value={chosen.timezone} set={chooseZone} options={zones(chosen.timezone).map((zone) => [zone, zone.replace(/_/g, ' ')])} />
      {!only && <Select label={t('model')} value={chosen.model} set={(model) => setQuery({ model: model === defaultModel() ? null : model })} options={MODELS.map((name) => [name, t(`model.${name}` as Word)])} />}
      {!only && <Segments label={t('netgross')} value={chosen.gross ? 'gross' : 'net'} options={[['net', t('net')], ['gross', t('gross')]]} set={(kind) => setQuery({ gross: kind === 'gross' ? 'true' : null })} />}
    </>
  );
}

/** What the report is narrowed to; each can be taken away. */
export function Chips({ chosen }: { chosen: Choice }): JSX.Element | null {
  if (chosen.filters.length === 0) return null;
  return (
    <div class="wrap" role="group" aria-label={t('filters')}>
      <Icon name="filter" size={16} />
      {chosen.filters.map(([name, value]) => (
        <span key={name} class="chip">
          <span class="cut"><span class="muted">{t('filter.is', { name: known('filter', name) })} </span>{name === 'linkId' ? <LinkName id={value} /> : name === 'folderId' || name === 'tagId' ? <LabelName path={name === 'tagId' ? '/tags' : '/folders'} id={value} /> : shownValue(name, value)}</span>
          <button type="button" aria-label={t('filter.remove', { name: known('filter', name) })} onClick={() => setQuery({ [name]: null })}><Icon name="close" size={13} /></button>
        </span>
      ))}
      {chosen.filters.length > 1 && <button type="button" class="button quiet small" onClick={() => setQuery(Object.fromEntries(chosen.filters.map(([name]) => [name, null])))}>{t('filter.clear')}</button>}
    </div>
  );
}

function LinkName({ id }: { id: string }): JSX.Element {
  const link = useData<Link>(`/links/${encodeURIComponent(id)}`);
  return <>{link.data ? shortName(link.data) : '…'}</>;
}

function LabelName({ path, id }: { path: string; id: string }): JSX.Element {
  const labels = useData<Label[]>(path, { pageSize: path === '/folders' ? 50 : 100 });
  return <>{labels.data ? labels.data.find((one) => one.id === id)?.name ?? id : '…'}</>;
}

/** The value of a field as a person reads it. */
export function shownValue(field: string, value: string): string {
  if (field === 'country') return countryName(value);
  if (field === 'device' || field === 'trigger' || field === 'referer') return known(field, value.toLowerCase());
  return value;
}

/** The same span, moved back by its length. */
function before(series: Series): Query | null {
  const [first, last] = [series[0], series[series.length - 1]];
  if (!first || !last || series.length < 2) return null;
  const iso = (label: string): number => Date.parse(label.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  const from = iso(first.start);
  const bucket = bucketMs(series);
  if (bucket > 172_900_000) {
    const start = new Date(from);
    start.setUTCMonth(start.getUTCMonth() - series.length);
    return { start: start.toISOString(), end: new Date(from - 1).toISOString() };
  }
  const length = iso(last.start) + bucket - from;
  return { start: new Date(from - length).toISOString(), end: new Date(from - 1).toISOString() };
}

function Change({ now, then }: { now: number; then: number | undefined }): JSX.Element {
  if (then === undefined) return <span class="change" />;
  if (then === 0) return <span class="change">{now === 0 ? t('change.same') : t('change.new')}</span>;
  const share = now / then - 1;
  if (Math.abs(share) < 0.0005) return <span class="change">{t('change.same')}</span>;
  return <span class="change"><span class={share > 0 ? 'good' : 'bad'}>{share > 0 ? '↑' : '↓'} {percent(Math.abs(share))}</span> {t('change.before')}</span>;
}

/** `whenEmpty` stands for the breakdowns while there is nothing to break down. */
export function Report({ currency, fixed = {}, hideLinks = false, whenEmpty }: { currency: string; fixed?: Query; hideLinks?: boolean; whenEmpty?: ComponentChildren }): JSX.Element {
  const { query } = usePlace();
  const chosen = choice(query);
  const base: Query = { event: 'composite', ...asked(chosen), ...fixed };
  const [measure, setMeasure] = useState<Measure>('clicks');
  const count = useData<Metrics>('/analytics', base);
  const series = useData<Series>('/analytics', { ...base, groupBy: 'timeseries' });
  // Whatever has a link has its domain.
  const domains = useData<Row[]>(hideLinks ? null : '/analytics', { ...base, groupBy: 'top_domains' });
  const past = useMemo(() => (series.data && chosen.interval !== 'all' ? before(series.data) : null), [series.data, chosen.interval]);
  const { interval: _, ...withoutInterval }: Query = base;
  const countBefore = useData<Metrics>(past ? '/analytics' : null, { ...withoutInterval, ...past });
  const seriesBefore = useData<Series>(past ? '/analytics' : null, { ...withoutInterval, ...past, groupBy: 'timeseries' });
  const cash = (value: number, short = false): string => money(value, currency, short);
  const shown = (name: Measure, value: number): string => (name === 'saleAmount' ? cash(value, true) : number(value));
  const now = count.data;
  const then = past ? countBefore.data : undefined;
  const [Chart, setChart] = useState<ComponentType<ChartProps>>();
  useEffect(() => void import('./ui/chart').then((loaded) => setChart(() => loaded.default)), []);
  const points = useMemo(() => series.data?.map((point): Point => ({ start: point.start, value: point[measure] })), [series.data, measure]);
  const previous = useMemo(() => (past ? seriesBefore.data?.map((point): Point => ({ start: point.start, value: point[measure] })) : undefined), [past, seriesBefore.data, measure]);
  const [show, showAxis] = useMemo(() => [
    (value: number): string => (measure === 'saleAmount' ? money(value, currency) : number(value)),
    (value: number): string => (measure === 'saleAmount' ? money(value, currency, true).replace(/[.,]00(?=\D*$)/, '') : compact(value)),
  ] as const, [measure, currency]);
  if (count.error && !now) return <Card><Failed error={count.error} retry={count.reload} /></Card>;
  const unattributed = now && domains.data?.reduce((rest, row) => rest - row.saleAmount, now.saleAmount);
  const rate = (part: number | undefined, whole: number | undefined): string => (part === undefined || whole === undefined ? '' : whole === 0 ? '–' : percent(part / whole));
  const rest = now?.unconverted ?? [];
  return (
    <>
      <Card>
        <div class="figures">
          {MEASURES.map((name) => (
            <button key={name} type="button" class="figure" aria-pressed={measure === name} onClick={() => setMeasure(name)}>
              <span class="name">{measure === name && <i class="dot" />}{name === 'saleAmount' ? t(chosen.gross ? 'revenue.gross' : 'revenue.net') : t(name)}</span>
              <span class="value">{now ? shown(name, now[name]) : <span class="bone" style={{ display: 'block', width: '60%', height: '32px' }} />}</span>
              {now ? <Change now={now[name]} then={then?.[name]} /> : <span class="change" />}
            </button>
          ))}
        </div>
        {series.error ? <Failed error={series.error} retry={series.reload} /> : points && Chart ? (
          <Chart points={points} previous={previous} show={show} showAxis={showAxis} label={measure === 'saleAmount' ? t(chosen.gross ? 'revenue.gross' : 'revenue.net') : t(measure)} />
        ) : <div class="chart"><div class="bone" style={{ height: '100%' }} /></div>}
        <div class="legend"><span><i />{t('chart.now')}</span>{past && <span><i class="dashed" />{t('chart.previous')}</span>}</div>
        <div class="rates">
          <div class="figure"><span class="name">{t('rate.lead')}</span><span class="value">{rate(now?.leads, now?.clicks)}</span><span class="change">{t('rate.lead.of')}</span></div>
          <div class="figure"><span class="name">{t('rate.sale')}</span><span class="value">{rate(now?.sales, now?.clicks)}</span><span class="change">{t('rate.sale.of')}</span></div>
          <div class="figure"><span class="name">{t('rate.epc')}</span><span class="value">{now ? (now.clicks ? money(Math.round(now.saleAmount / now.clicks), currency) : '–') : ''}</span><span class="change">{t('rate.epc.of')}</span></div>
          {hideLinks ? (
            <div class="figure"><span class="name">{t('rate.sale.mean')}</span><span class="value">{now ? (now.sales ? money(Math.round(now.saleAmount / now.sales), currency) : '–') : ''}</span><span class="change">{t('rate.sale.mean.of')}</span></div>
          ) : <div class="figure">
            <span class="name">{t('rate.unattributed')}</span>
            <span class="value">{now && unattributed !== undefined ? (now.saleAmount > 0 ? percent(unattributed / now.saleAmount) : '–') : ''}</span>
            <span class="change">{now && unattributed !== undefined && now.saleAmount > 0 ? t('rate.unattributed.of', { amount: cash(unattributed, true) }) : t('rate.unattributed.none')}</span>
          </div>}
        </div>
      </Card>
      {rest.length > 0 && <p class="muted small">{t('unconverted', { amounts: rest.map((one) => money(one.amount, one.currency)).join(', ') })}</p>}
      {now && MEASURES.every((name) => now[name] === 0) && rest.length === 0 ? (
        <Card>{whenEmpty || <Empty icon="overview" title={t('breakdown.empty')}><p>{t(chosen.filters.length > 0 ? 'breakdown.empty.filtered' : 'breakdown.empty.top_links')}</p></Empty>}</Card>
      ) : <div class="cols">
        {!hideLinks && <Breakdown base={base} measure={measure} cash={cash} groups={['top_links', 'top_folders', 'top_link_tags', 'top_domains']} label={t('links')} />}
        <Breakdown base={base} measure={measure} cash={cash} groups={['utm_campaigns', 'utm_sources', 'utm_mediums', 'utm_terms', 'utm_contents']} label={t('campaigns')} />
        <Breakdown base={base} measure={measure} cash={cash} groups={['referers', 'triggers']} label={t('sources')} />
        <Breakdown base={base} measure={measure} cash={cash} groups={['countries', 'cities', 'regions']} label={t('places')} />
        <Breakdown base={base} measure={measure} cash={cash} groups={['devices', 'browsers', 'os']} label={t('technology')} />
      </div>}
    </>
  );
}

/** Where rows that have ids alone get their names. */
const LABELS: Record<string, string> = { top_folders: '/folders', top_link_tags: '/tags' };
interface Label { id: string; name: string }

/** Of each group: the field of its rows, and the filter that a row sets. */
const GROUP: Record<string, readonly [string, string]> = {
  top_links: ['link', 'linkId'], top_folders: ['folderId', 'folderId'], top_link_tags: ['tagId', 'tagId'], top_domains: ['domain', 'domain'],
  utm_campaigns: ['utm_campaign', 'utm_campaign'], utm_sources: ['utm_source', 'utm_source'], utm_mediums: ['utm_medium', 'utm_medium'],
  utm_terms: ['utm_term', 'utm_term'], utm_contents: ['utm_content', 'utm_content'], referers: ['referer', 'referer'], triggers: ['trigger', 'trigger'],
  countries: ['country', 'country'], cities: ['city', 'city'], regions: ['region', 'region'], devices: ['device', 'device'], browsers: ['browser', 'browser'], os: ['os', 'os'],
};

function Breakdown({ base, measure, cash, groups, label }: { base: Query; measure: Measure; cash: (value: number, short?: boolean) => string; groups: readonly string[]; label: string }): JSX.Element {
  const [group, setGroup] = useState(groups[0] ?? '');
  const [all, setAll] = useState(false);
  const rows = useData<Row[]>('/analytics', { ...base, groupBy: group });
  const [field, filter] = GROUP[group] ?? ['', ''];
  // Rows of folders and tags have ids alone.
  const labels = useData<Label[]>(LABELS[group] ?? null, { pageSize: group === 'top_folders' ? 50 : 100 });
  const second: Measure = measure === 'clicks' ? 'saleAmount' : measure;
  return (
    <section class="card" aria-label={label}>
      <Tabs label={label} value={group} set={(next) => { setGroup(next); setAll(false); }} options={groups.map((name) => [name, t(`group.${name}` as Word)])} />
      <Shown of={rows.data && rows.loading && !(rows.data[0]?.[field] !== undefined || rows.data.length === 0) ? { ...rows, data: undefined } : rows} bones={<Bones rows={6} height={30} />}>
        {(found) => {
          const sorted = [...found].sort((a, b) => b[measure] - a[measure] || b.clicks - a.clicks);
          const most = Math.max(1, ...sorted.map((row) => row[measure]));
          if (sorted.length === 0) return <Empty low icon="overview" title={t('breakdown.empty')}><p>{t(`breakdown.empty.${groups[0]}` as Word)}</p></Empty>;
          return (
            <>
              <div class="bar-head"><span>{t(`group.${group}` as Word)}</span><span class="end">{t('clicks')}</span><span class="end">{second === 'saleAmount' ? t('revenue') : t(second)}</span></div>
              <div class="bars">
                {sorted.slice(0, all ? 100 : 7).map((row) => {
                  const value = String(row[field] ?? '');
                  const name = group === 'top_links' ? shortName(row as unknown as Link) : group in LABELS ? labels.data?.find((one) => one.id === value)?.name ?? value : value === 'Unknown' ? t(group === 'triggers' || group === 'referers' ? 'unattributed' : 'unknown') : shownValue(filter, value);
                  const canFilter = value !== 'Unknown' && value !== '';
                  return (
                    <button key={`${value} ${String(row['country'] ?? '')}`} type="button" class="bar-row" disabled={!canFilter} onClick={() => setQuery({ [filter]: value })}>
                      <i class="bar" style={{ width: `${(row[measure] / most) * 100}%` }} />
                      <span class="cut">{group === 'top_links' ? <>/{String(row['key'])} <span class="muted small">{name.split('/')[0]}</span></> : name}{(group === 'cities' || group === 'regions') && canFilter && <span class="muted small"> {countryName(String(row['country'] ?? ''))}</span>}</span>
                      <span class="end num">{number(row.clicks)}<span class="hide"> {t('clicks')}</span></span>
                      <span class={row[second] === 0 ? 'end num muted' : 'end num strong'}>{second === 'saleAmount' ? cash(row.saleAmount, true) : number(row[second])}<span class="hide"> {second === 'saleAmount' ? t('revenue') : t(second)}</span></span>
                    </button>
                  );
                })}
              </div>
              {sorted.length > 7 && <div class="card-foot"><button type="button" class="button quiet small" onClick={() => setAll(!all)}>{all ? t('less') : t('more', { n: sorted.length - 7 })}</button></div>}
            </>
          );
        }}
      </Shown>
    </section>
  );
}
