import type { Session, Workspace } from './api';

/** What every page is given. */
export interface PageProps { session: Session; workspace: Workspace | undefined; id: string; refresh: () => void }
