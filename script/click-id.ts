// The click id for scripts that work with the base, and without it.

const settings = (document.currentScript as HTMLScriptElement | null)?.dataset || {};

/** The click id, when the visitor allows that there is one. */
export function clickId(): string | undefined {
  if (self._pimmsAnalytics) return self._pimmsAnalytics.c.get();
  const isRefused = navigator.globalPrivacyControl && settings.gpc != "ignore";
  if (isRefused || (settings.consent && self.pimms?.consent !== true)) return;
  const given = new URL(location.href).searchParams.get("pimms_id");
  if (given?.match(/^[\w-]{8,64}$/)) return given;
  try {
    return document.cookie.match(/(?:^|; )pimms_id=([\w-]+)/)?.[1] || sessionStorage.pimms_id || undefined;
  } catch {}
}
