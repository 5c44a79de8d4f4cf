// A link's QR code, to be saved.

import type { JSX } from 'preact';
import type { Link } from './api';
import { t } from './i18n';
import { qrAddress, shortName } from './links';
import { Icon } from './ui/icons';

const SIZES = { svg: undefined, png: 1024 } as const;

export function QrDownloads({ link }: { link: Link }): JSX.Element {
  return (
    <>
      {(['svg', 'png'] as const).map((format) => (
        <a key={format} class="button small" href={qrAddress(link, format, SIZES[format])} download={`${link.key}.${format}`} aria-label={`${t('qr.of', { name: shortName(link) })}, ${format.toUpperCase()}`}>
          <Icon name="qr" size={15} />{format.toUpperCase()}
        </a>
      ))}
    </>
  );
}
