/** Language, theme and buyer: kept in this browser. */
import { currentLanguage, type Language, setLanguage } from './texts.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export function restorePreferences(): void {
  const wished = localStorage.getItem('language');
  const ofBrowser: Language = navigator.language.startsWith('zh') ? 'zh' : 'en';
  setLanguage(wished === 'zh' || wished === 'en' ? wished : ofBrowser);
  applyTheme(currentTheme());
}

export function switchLanguage(): void {
  setLanguage(currentLanguage() === 'en' ? 'zh' : 'en');
  localStorage.setItem('language', currentLanguage());
}

export function currentTheme(): Theme {
  const wished = localStorage.getItem('theme');
  return THEMES.find((theme) => theme === wished) ?? 'auto';
}

export function switchTheme(): void {
  const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] ?? 'auto';
  localStorage.setItem('theme', next);
  applyTheme(next);
}

/** With `auto`, what the system is set to. */
export const isDark = () =>
  currentTheme() === 'auto'
    ? matchMedia('(prefers-color-scheme: dark)').matches
    : currentTheme() === 'dark';

export const currentBuyer = () => localStorage.getItem('buyer') ?? 'alice';

export const keepBuyer = (buyer: string) => localStorage.setItem('buyer', buyer);

function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}
