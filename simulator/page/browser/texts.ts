/** Every text of the page in the language that was chosen. */
import { BILL_TEXTS } from './texts/bills.ts';
import { CONTROL_TEXTS } from './texts/controls.ts';
import { EVENT_TEXTS } from './texts/events.ts';
import { MESSAGE_TEXTS } from './texts/messages.ts';
import { ORDER_TEXTS } from './texts/orders.ts';
import { REFUND_TEXTS } from './texts/refunds.ts';
import { KEYS, RESULTS } from './texts/words.ts';

const TEXTS = {
  ...BILL_TEXTS,
  ...CONTROL_TEXTS,
  ...EVENT_TEXTS,
  ...MESSAGE_TEXTS,
  ...ORDER_TEXTS,
  ...REFUND_TEXTS,
};

/** What a key is, in the language of the page. */
export const keyText = (keyName: string) =>
  language === 'zh' ? (KEYS[keyName] ?? keyName) : keyName;

/** An outcome or fault in the language of the page; a status after it stays. */
export function resultText(result: string): string {
  const [, words = result, status = ''] = /^(.*?)( \d{3})?$/.exec(result) ?? [];
  const chinese = language === 'zh' ? RESULTS[words] : undefined;
  return chinese === undefined ? result : chinese + status;
}

export type TextName = keyof typeof TEXTS;
export type Language = 'en' | 'zh';

let language: Language = 'en';

export const currentLanguage = () => language;

export function setLanguage(chosen: Language): void {
  language = chosen;
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
}

/** The text, with `{name}` replaced. */
export function text(
  name: TextName,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return TEXTS[name][language === 'zh' ? 1 : 0].replaceAll(/\{(\w+)\}/g, (whole, key: string) =>
    String(values[key] ?? whole),
  );
}

/** Fills `data-text` and `data-label` of the page's own HTML. */
export function translatePage(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = text(element.dataset['text'] as TextName);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    element.setAttribute('aria-label', text(element.dataset['label'] as TextName));
  }
}

/** `30 s`, `5 min`, `2 h`, `1 d` */
export function duration(seconds: number): string {
  if (seconds < 60) {
    return text('seconds', { n: seconds });
  }
  if (seconds < 3600) {
    return text('minutes', { n: Math.round(seconds / 60) });
  }
  return seconds < 172_800
    ? text('hours', { n: Math.round(seconds / 360) / 10 })
    : text('days', { n: Math.round(seconds / 86_400) });
}

/** Made once: making one takes longer than everything else about a row of the diagram. */
const CLOCKS = {
  en: new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', hourCycle: 'h23' }),
  zh: new Intl.DateTimeFormat('zh-CN', { timeStyle: 'medium', hourCycle: 'h23' }),
};

export const clockTime = (iso: string) => CLOCKS[language].format(new Date(iso));
