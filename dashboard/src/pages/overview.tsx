// What came of all links.

import type { JSX } from 'preact';
import type { Link } from '../api';
import type { PageProps } from '../page';
import { useData } from '../data';
import { t } from '../i18n';
import { go, usePlace } from '../router';
import { Chips, Report, SpanControls } from '../report';
import { choice } from '../span';
import { Button, Empty, PageHead } from '../ui/parts';

export function Overview({ session, workspace }: PageProps): JSX.Element {
  const { query } = usePlace();
  const chosen = choice(query);
  const links = useData<Link[]>('/links', { pageSize: 1, inFolders: true, showArchived: true });
  return (
    <>
      <PageHead title={t('nav.overview')} actions={<SpanControls chosen={chosen} />} />
      <Chips chosen={chosen} />
      <Report
        currency={(workspace?.currency ?? session.currency).toLowerCase()}
        whenEmpty={links.data?.length === 0 && (
          <Empty icon="links" title={t('overview.first')}>
            <p>{t('overview.first.text')}</p>
            <div class="wrap">
              <Button kind="primary" icon="plus" onClick={() => go('/links/new')}>{t('links.new')}</Button>
              <Button icon="stripe" onClick={() => go('/stripe')}>{t('sales.connect')}</Button>
            </div>
          </Empty>
        )}
      />
    </>
  );
}
