/** Puts the page together: a phone on the left, what it causes on the right. */
import { local } from './backend.ts';
import { BillPanel } from './bill-panel.ts';
import { BusPanel, type BusStatus } from './bus-panel.ts';
import { Diagram } from './diagram.ts';
import { find } from './dom.ts';
import { type Exchange, toExchanges } from './exchanges.ts';
import { FaultPanel } from './fault-panel.ts';
import { MessageFeed } from './feed.ts';
import { Inspector } from './inspector.ts';
import { PhonePanel } from './phone-panel.ts';
import { currentTheme, restorePreferences, switchLanguage, switchTheme } from './preferences.ts';
import { RefundPanel } from './refund-panel.ts';
import { text, translatePage } from './texts.ts';
import { type ClockReading, TimePanel } from './time-panel.ts';

const REFRESH_MS = 1000;

restorePreferences();

const help = find('#fault-help', HTMLElement);
const say = (message: string) => {
  help.textContent = message;
};
const onlyOrder = find('#only-order', HTMLInputElement);
let exchanges: readonly Exchange[] = [];

const phone = new PhonePanel();
const faults = new FaultPanel(
  find('#faults-notify', HTMLElement),
  find('#faults-calls', HTMLElement),
  say,
);
const bus = new BusPanel(say);
const inspector = new Inspector(() => void refreshOrder());
const diagram = new Diagram(find('#diagram', HTMLOListElement), (exchange) => {
  diagram.choose(exchange.key);
  inspector.show(exchange);
});
const time = new TimePanel({
  say,
  currentRow: () => inspector.row,
  onClock: (offsetMs) => phone.moveClock(offsetMs),
});
const bill = new BillPanel({ now: () => time.now(), advance: (seconds) => time.advance(seconds) });
const feed = new MessageFeed(
  (messages, sinceEpochMs) => {
    const all = toExchanges(messages);
    exchanges = all.filter(({ startMs }) => startMs >= sinceEpochMs);
    inspector.update(exchanges, all);
    drawDiagram();
    void refreshOrder();
  },
  (isConnected) => {
    const banner = find('#banner', HTMLElement);
    banner.hidden = isConnected;
    banner.textContent = isConnected ? '' : text('disconnected');
  },
);

function drawDiagram(): void {
  const shown = exchanges.filter(
    ({ outTradeNo }) => !onlyOrder.checked || outTradeNo === inspector.outTradeNo,
  );
  diagram.draw(shown);
  find('#no-messages', HTMLElement).hidden = shown.length > 0;
}

const refunds = new RefundPanel(() => refreshOrder());

/** The stack may be gone for a moment; the banner says so. */
async function refreshOrder(): Promise<void> {
  await inspector.refresh().catch(() => undefined);
  refunds.follow(inspector.row);
}

async function refreshStatus(): Promise<void> {
  const status = await local<ClockReading & BusStatus>('GET', '/status');
  time.show(status);
  bus.show(status);
}

function drawTexts(): void {
  translatePage();
  const themes = { auto: 'themeAuto', light: 'themeLight', dark: 'themeDark' } as const;
  find('#theme', HTMLElement).textContent = `${text('theme')}: ${text(themes[currentTheme()])}`;
  phone.draw();
  faults.draw();
  bus.draw();
  time.draw();
  inspector.redraw();
  bill.draw();
}

find('#language', HTMLElement).addEventListener('click', () => {
  switchLanguage();
  drawTexts();
  diagram.redraw(exchanges);
  drawDiagram();
  phone.restart();
});
find('#theme', HTMLElement).addEventListener('click', () => {
  switchTheme();
  drawTexts();
  phone.setTheme();
});
find('#clear', HTMLElement).addEventListener('click', () => feed.clear());
onlyOrder.addEventListener('change', drawDiagram);

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => phone.setTheme());

drawTexts();
// The phone starts with the stack's time, so that its first token has the right age.
await refreshStatus().catch(() => undefined);
phone.restart();
setInterval(() => {
  if (!document.hidden) {
    void Promise.allSettled([faults.refresh(), refreshStatus(), refreshOrder(), bill.refresh()]);
  }
}, REFRESH_MS);
await feed.follow();
