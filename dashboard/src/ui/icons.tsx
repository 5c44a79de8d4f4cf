// Our own line icons, 16 px on a grid of 20.

import type { JSX } from 'preact';

const PATHS = {
  overview: 'M3 17V9m5 8V3m5 14v-6m5 6V6',
  links: 'M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1m1 4a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1',
  customers: 'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5 7a5 5 0 0 1 10 0m.5-13a3 3 0 0 1 0 6m2 2.300a5 5 0 0 1 2.500 4.700',
  sales: 'M4 2.500h12v15l-2-1.500-2 1.500-2-1.500-2 1.500-2-1.500-2 1.500Zm3 4.500h6m-6 4h6',
  events: 'M11 2.500 4.500 11.500H10l-1 6 6.500-9H10Z',
  stripe: 'M2.500 5.500h15v9.500h-15Zm0 3.500h15m-12 3h3',
  settings: 'M3 5.500h7m4 0h3m-3-2v4m-11 7h3m4 0h7m-7-2v4M3 10h2m4 0h8m-8-2v4',
  plus: 'M10 4v12M4 10h12',
  copy: 'M7 7h9.500v9.500H7Zm-3.500 6V3.500H13',
  check: 'm4 10.500 4 4 8-9',
  close: 'm5 5 10 10M15 5 5 15',
  search: 'M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12Zm4.500-1.500 4 4',
  down: 'm5 8 5 5 5-5',
  left: 'm12 5-5 5 5 5',
  right: 'm8 5 5 5-5 5',
  menu: 'M3 6h14M3 10h14M3 14h14',
  external: 'M11 4h5v5m0-5-7 7m-1-6H4v11h11v-4',
  warn: 'M10 3 2.500 16.500h15ZM10 8v4m0 2.200v.3',
  info: 'M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15ZM10 9v4.500m0-7v.3',
  sun: 'M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM10 2v1.500m0 13V18m8-8h-1.500m-13 0H2m13.700-5.700-1 1m-9.400 9.400-1 1m11.400 0-1-1M5.300 5.300l-1-1',
  moon: 'M16.500 12.500A7 7 0 0 1 7.500 3.500a7 7 0 1 0 9 9Z',
  out: 'M8 3.500H4v13h4m4-3 4-3.500-4-3.500m4 3.500H8',
  click: 'm8 8 9 3.500-4 1.500-1.500 4ZM8 2.500V5M2.500 8H5M4 4l1.800 1.800M12 4l-1.700 1.800M4 12l1.800-1.700',
  lead: 'M10 10a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Zm-6 7a6 6 0 0 1 12 0',
  money: 'M10 2.500v15m3.700-11.800C13 4.700 11.700 4 10 4 8 4 6.300 5 6.300 6.800c0 4 7.400 2.200 7.400 6.200 0 1.900-1.700 3-3.700 3-1.800 0-3.200-.8-3.900-1.900',
  refund: 'M4 8h8a4 4 0 0 1 0 8H8M4 8l3.500-3.500M4 8l3.500 3.500',
  folder: 'M2.500 5h5l2 2h8v9h-15Z',
  tag: 'M3 3h7l7 7-7 7-7-7Zm3.500 3.500v.1',
  lock: 'M5 9h10v8H5Zm2.500 0V6.500a2.500 2.500 0 0 1 5 0V9',
  clock: 'M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15ZM10 6v4l2.500 2',
  edit: 'M12.500 4.500 15.500 7.500 7 16H4v-3Zm-2 2 3 3',
  trash: 'M3.500 5.500h13m-9 0v-2h5v2m2.500 0-.7 11H5.700L5 5.500m3.500 3v5m3-5v5',
  key: 'M7 13a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Zm3.500-3.500h7v3m-3-3V12',
  globe: 'M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15Zm-7.500-7.500h15M10 2.500c4.500 5 4.500 10 0 15-4.500-5-4.500-10 0-15Z',
  qr: 'M3 3h5v5H3Zm9 0h5v5h-5ZM3 12h5v5H3Zm9 0h2v2h-2Zm3 3h2v2h-2Z',
  filter: 'M3 4.500h14l-5.500 6.500v5l-3-1.500V11Z',
  archive: 'M3 4h14v4H3Zm1.500 4v8.500h11V8m-7 3.500h3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18, class: extra = '' }: { name: IconName; size?: number; class?: string }): JSX.Element {
  return (
    <svg class={extra} width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
