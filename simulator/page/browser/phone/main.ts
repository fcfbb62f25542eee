/** Switches the phone on: its buyer and language are in the address, the rest comes from the page. */
import './globals.ts';
import { dress, launch, setShown } from './app.ts';
import { moveDate } from './phone-clock.ts';
import { phoneText } from './phone-texts.ts';
import { createWx } from './wx.ts';
import { setDark } from './wxss.ts';

/** What the page beside the phone tells it. */
export type ToPhone =
  | { readonly kind: 'clock'; readonly offsetMs: number }
  | { readonly kind: 'theme'; readonly isDark: boolean }
  | { readonly kind: 'network'; readonly isOnline: boolean }
  | { readonly kind: 'shown'; readonly isShown: boolean };

const query = new URLSearchParams(location.search);
const language = query.get('language') === 'en' ? 'en' : 'zh_CN';
document.documentElement.lang = language === 'en' ? 'en' : 'zh-CN';
let isOnline = true;

addEventListener('message', ({ origin, data }: MessageEvent<ToPhone>) => {
  if (origin !== location.origin) {
    return;
  }
  if (data.kind === 'clock') {
    moveDate(data.offsetMs);
  } else if (data.kind === 'theme') {
    setDark(data.isDark);
    dress();
  } else if (data.kind === 'network') {
    isOnline = data.isOnline;
    document.body.classList.toggle('offline', !isOnline);
  } else {
    setShown(data.isShown);
  }
});

moveDate(Number(query.get('offsetMs') ?? '0'));
setDark(query.get('theme') === 'dark');
const showTime = () => {
  const clock = document.querySelector('#clock');
  if (clock) {
    clock.textContent = new Date().toTimeString().slice(0, 5);
  }
};
showTime();
setInterval(showTime, 1000);

globalThis.wx = createWx({
  buyer: query.get('buyer') ?? 'alice',
  language,
  isOnline: () => isOnline,
});

const script = document.createElement('script');
script.src = '/_page/mini-program.js';
script.addEventListener('load', () => {
  try {
    launch();
  } catch (error) {
    const screen = document.querySelector('#screen');
    screen?.replaceChildren(phoneText('noApp'));
    throw error;
  }
});
document.head.append(script);
