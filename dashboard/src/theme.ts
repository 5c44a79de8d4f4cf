// Light or dark: as the system says, unless the reader chose.

export type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');

function kept(): Theme | null {
  const theme = localStorage.getItem('theme');
  return theme === 'light' || theme === 'dark' ? theme : null;
}

export const currentTheme = (): Theme => kept() ?? (system.matches ? 'dark' : 'light');

function show(): void {
  document.documentElement.dataset['theme'] = currentTheme();
  window.dispatchEvent(new Event('themechange'));
}

export function toggleTheme(): void {
  localStorage.setItem('theme', currentTheme() === 'dark' ? 'light' : 'dark');
  show();
}

show();
system.addEventListener('change', show);
