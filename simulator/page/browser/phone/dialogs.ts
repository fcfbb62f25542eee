/** Toast and modal of WeChat. */
import { element } from '../dom.ts';
import { toText } from './expression-operators.ts';
import { phoneText } from './phone-texts.ts';
import type { WxOptions } from './globals.ts';

let toast: HTMLElement | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

export function showToast(
  title: string,
  options: { icon: string; durationMs: number; isMasked: boolean },
): void {
  hideToast();
  toast = element(
    'div.toast',
    { role: 'status', 'data-icon': options.icon, 'data-masked': options.isMasked },
    element('span.toast-icon', { 'aria-hidden': 'true' }),
    element('span', {}, title),
  );
  document.body.append(toast);
  if (Number.isFinite(options.durationMs)) {
    timer = setTimeout(hideToast, options.durationMs);
  }
}

export function hideToast(): void {
  clearTimeout(timer);
  toast?.remove();
  toast = undefined;
}

/** Resolves with `{ confirm, cancel }`, as `wx.showModal` does. */
export function showModal(options: WxOptions): Promise<{ confirm: boolean; cancel: boolean }> {
  const { title, content, showCancel = true, confirmText, cancelText } = options;
  const { promise, resolve } = Promise.withResolvers<{ confirm: boolean; cancel: boolean }>();
  const confirm = element(
    'button.modal-confirm',
    { type: 'button' },
    toText(confirmText ?? phoneText('ok')),
  );
  const cancel = element('button', { type: 'button' }, toText(cancelText ?? phoneText('cancel')));
  const dialog = element(
    'dialog.modal',
    { 'aria-label': toText(title ?? content) },
    title !== undefined && title !== '' && element('h2', {}, toText(title)),
    element('p', {}, toText(content)),
    element('div.modal-buttons', {}, showCancel === true && cancel, confirm),
  );
  const close = (isConfirmed: boolean) => {
    dialog.close();
    dialog.remove();
    resolve({ confirm: isConfirmed, cancel: !isConfirmed });
  };
  confirm.addEventListener('click', () => close(true));
  cancel.addEventListener('click', () => close(false));
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close(false);
  });
  document.body.append(dialog);
  dialog.showModal();
  confirm.focus();
  return promise;
}
