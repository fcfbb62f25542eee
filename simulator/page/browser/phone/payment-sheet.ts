/** The payment sheet and the receipt as WeChat shows them. */
import { element } from '../dom.ts';
import { phoneText } from './phone-texts.ts';

export interface SheetOrder {
  readonly totalFen: number;
  readonly description: string;
  readonly mchid: string;
}

const PASSWORD_DIGITS = 6;
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '', '0', '⌫'];

let sheet: HTMLDialogElement | undefined;

/** Resolves with the sixth digit, the sheet then waits, or when the buyer closes the sheet. */
export function askForPassword(order: SheetOrder): Promise<'entered' | 'cancelled'> {
  const { promise, resolve } = Promise.withResolvers<'entered' | 'cancelled'>();
  const boxes = element('div.password', { role: 'status', 'aria-label': describeDigits(0) });
  boxes.append(...Array.from({ length: PASSWORD_DIGITS }, () => element('span')));
  const close = element('button.sheet-close', {
    type: 'button',
    'aria-label': phoneText('close'),
    'data-action': 'cancel',
  });
  const pad = element('div.pad');
  const dialog = element(
    'dialog.sheet',
    { 'aria-labelledby': 'sheet-title' },
    element(
      'div.sheet-head',
      {},
      close,
      element('h2', { id: 'sheet-title' }, phoneText('payTitle')),
    ),
    element('p.sheet-merchant', {}, `${phoneText('merchant')} ${order.mchid}`),
    element('p.sheet-description', {}, order.description),
    element('p.sheet-amount', {}, formatYuan(order.totalFen)),
    element(
      'p.sheet-method',
      {},
      element('span', {}, phoneText('method')),
      element('span', {}, phoneText('balance')),
    ),
    boxes,
    element('p.sheet-hint', {}, phoneText('anyDigits')),
    pad,
  );
  let entered = 0;
  const show = () => {
    [...boxes.children].forEach((box, at) => box.classList.toggle('filled', at < entered));
    boxes.setAttribute('aria-label', describeDigits(entered));
  };
  const press = (key: string) => {
    if (entered === PASSWORD_DIGITS || (key !== '⌫' && !/^\d$/.test(key))) {
      return;
    }
    entered = key === '⌫' ? Math.max(0, entered - 1) : entered + 1;
    show();
    if (entered === PASSWORD_DIGITS) {
      dialog.classList.add('paying');
      boxes.setAttribute('aria-label', phoneText('paying'));
      resolve('entered');
    }
  };
  pad.append(...KEYS.map((key) => makeKey(key, press)));
  dialog.addEventListener('keydown', ({ key }) => press(key === 'Backspace' ? '⌫' : key));
  const cancel = () => {
    if (entered < PASSWORD_DIGITS) {
      closeSheet();
      resolve('cancelled');
    }
  };
  close.addEventListener('click', cancel);
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    cancel();
  });
  sheet = dialog;
  document.body.append(dialog);
  dialog.showModal();
  pad.querySelector('button')?.focus();
  return promise;
}

export function closeSheet(): void {
  sheet?.close();
  sheet?.remove();
  sheet = undefined;
}

/** Resolves when the buyer has seen it: only then the mini-program gets its callback. */
export function showReceipt(order: SheetOrder): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = element('button.receipt-done', { type: 'button' }, phoneText('done'));
  const dialog = element(
    'dialog.receipt',
    { 'aria-labelledby': 'receipt-title' },
    element('span.receipt-mark', { 'aria-hidden': 'true' }),
    element('h2', { id: 'receipt-title' }, phoneText('paid')),
    element('p.sheet-amount', {}, formatYuan(order.totalFen)),
    element(
      'p.sheet-method',
      {},
      element('span', {}, phoneText('payTo')),
      element('span', {}, `${phoneText('merchant')} ${order.mchid}`),
    ),
    done,
  );
  const end = () => {
    dialog.close();
    dialog.remove();
    resolve();
  };
  done.addEventListener('click', end);
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    end();
  });
  document.body.append(dialog);
  dialog.showModal();
  done.focus();
  return promise;
}

function makeKey(key: string, press: (key: string) => void): HTMLElement {
  if (key === '') {
    return element('span');
  }
  const label = key === '⌫' ? phoneText('deleteDigit') : undefined;
  const button = element('button', { type: 'button', 'aria-label': label }, key);
  button.addEventListener('click', () => press(key));
  return button;
}

const formatYuan = (fen: number) => `¥${(fen / 100).toFixed(2)}`;
const describeDigits = (count: number) => phoneText('digits').replace('{n}', String(count));
