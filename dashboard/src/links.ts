// What pages say of links.

import type { Link } from './api';

/** Where a link is clicked: on the local runtime the domain `localhost` is wherever this page came from. */
export function shortUrl(link: Pick<Link, 'domain' | 'key'>): string {
  const key = link.key === '_root' ? '' : `/${link.key}`;
  return link.domain === 'localhost' ? `${location.origin}${key}` : `https://${link.domain}${key}`;
}

export const shortName = (link: Pick<Link, 'domain' | 'key'>): string => shortUrl(link).replace(/^https?:\/\//, '');

export function hostOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^www\./, '');
  } catch {
    return url;
  }
}

export const qrAddress = (link: Pick<Link, 'domain' | 'key'>, format: 'svg' | 'png', size = 600): string =>
  `/api/qr?format=${format}&size=${size}&url=${encodeURIComponent(`${shortUrl(link)}?qr=1`)}`;
