// One measure over time, and the same measure a period before.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { currentLanguage, percent, t } from '../i18n';
import { bucketMs, wall, type ChartProps } from './chart-types';

function formatter(ms: number, long: boolean): Intl.DateTimeFormat {
  const locale = currentLanguage() === 'fr' ? 'fr-FR' : 'en-US';
  if (ms < 80_000_000) return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hour: 'numeric', ...(long ? { minute: '2-digit', day: 'numeric', month: 'short' } : {}) });
  if (ms < 172_900_000) return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', day: 'numeric', month: 'short', ...(long ? { weekday: 'short' } : {}) });
  return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: long ? 'long' : 'short', year: long ? 'numeric' : '2-digit' });
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export default function Chart({ points, previous, show, showAxis, label }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ index: number; left: number } | null>(null);
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const changed = (): void => setTheme((n) => n + 1);
    window.addEventListener('themechange', changed);
    return () => window.removeEventListener('themechange', changed);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const short = formatter(bucketMs(points), false);
    const values = points.map((point) => point.value);
    const before = points.map((_, index) => previous?.[index]?.value ?? null);
    const known = [...values, ...before.map((value) => value ?? 0)];
    const top = Math.max(1, ...known);
    // A day on which more was given back than came in is below nothing.
    const bottom = Math.min(0, ...known);
    // Round steps, four or five of them; the highest is above everything.
    const power = 10 ** Math.floor(Math.log10(Math.max(1, (top - bottom) / 4)));
    const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= (top - bottom) / 4 && Number.isInteger(n)) ?? power;
    const highest = Math.ceil((top * 1.02) / step) * step;
    const lowest = Math.floor((bottom * 1.02) / step) * step;
    const axis = { stroke: colour('--muted'), font: `12px ${colour('--font')}`, ticks: { show: false }, grid: { stroke: colour('--line'), width: 1 } };
    const size = (): { width: number; height: number } => ({ width: element.clientWidth, height: element.clientHeight });
    const accent = colour('--accent-text');
    const plot = new uPlot({
      ...size(),
      padding: [10, 26, 0, 4],
      legend: { show: false },
      scales: { x: { time: false, range: [0, Math.max(1, points.length - 1)] }, y: { range: [lowest, highest] } },
      axes: [
        {
          ...axis, grid: { show: false }, gap: 8, size: 32,
          splits: (_, __, min, max) => {
            const step = Math.max(1, Math.ceil((max - min + 1) / Math.max(2, Math.floor(element.clientWidth / 90))));
            return points.map((_point, index) => index).filter((index) => index % step === 0);
          },
          values: (_, splits) => splits.map((index) => { const point = points[index]; return point ? short.format(wall(point.start)) : ''; }),
        },
        {
          ...axis, size: 62, gap: 8,
          splits: () => Array.from({ length: (highest - lowest) / step + 1 }, (_, index) => lowest + index * step),
          values: (_, splits) => splits.map((value) => showAxis(value)),
        },
      ],
      cursor: {
        y: false, drag: { x: false, y: false }, points: { size: 8, fill: accent, stroke: colour('--surface'), width: 2 },
      },
      series: [
        {},
        { stroke: colour('--previous'), width: 1.5, dash: [4, 4], points: { show: false } },
        { stroke: accent, width: 2, fill: (self) => {
          const gradient = self.ctx.createLinearGradient(0, self.bbox.top, 0, self.bbox.top + self.bbox.height);
          gradient.addColorStop(0, `${accent}38`);
          gradient.addColorStop(1, `${accent}00`);
          return gradient;
        }, points: { show: points.length < 3 } },
      ],
      hooks: {
        setCursor: [(self) => {
          const { idx, left } = self.cursor;
          setAt(idx === null || idx === undefined || left === undefined || left < 0 ? null : { index: idx, left });
        }],
      },
    }, [points.map((_, index) => index), before, values], element);
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, previous, theme, show, showAxis]);
  const point = at ? points[at.index] : undefined;
  const then = at ? previous?.[at.index] : undefined;
  const long = formatter(bucketMs(points), true);
  const width = box.current?.clientWidth ?? 0;
  const sum = points.reduce((total, one) => total + one.value, 0);
  return (
    <div class="chart">
      <div ref={box} style={{ width: '100%', height: '100%' }} role="img" aria-label={`${label}: ${show(sum)}`} />
      {at && point && (
        <div class="chart-tip" style={{ transform: `translateX(${Math.min(Math.max(70 + at.left + 14, 8), Math.max(8, width - 176))}px)` }}>
          <p class="muted">{long.format(wall(point.start))}</p>
          <p class="spread"><span>{label}</span><span class="strong num">{show(point.value)}</span></p>
          {then && <p class="spread muted"><span>{t('chart.before', { date: long.format(wall(then.start)) })}</span><span class="num">{show(then.value)}</span></p>}
          {then && then.value > 0 && <p class={point.value >= then.value ? 'good' : 'bad'}>{point.value >= then.value ? '+' : ''}{percent(point.value / then.value - 1)}</p>}
        </div>
      )}
    </div>
  );
}
