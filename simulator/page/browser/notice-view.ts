/** What WeChat sent about an order and what it was told, also when nothing came. */
import { element } from './dom.ts';
import { formatBody } from './format-body.ts';
import type { Outcome } from './messages.ts';
import type { Notice, Silence } from './notices.ts';
import { clockTime, resultText, text, type TextName } from './texts.ts';

const DECISIONS: Readonly<Record<string, { readonly name: TextName; readonly outcome: Outcome }>> =
  {
    apply: { name: 'decidedApply', outcome: 'ok' },
    duplicate: { name: 'decidedDuplicate', outcome: 'ok' },
    stale: { name: 'decidedStale', outcome: 'refused' },
    mismatch: { name: 'decidedMismatch', outcome: 'refused' },
    'unknown-order': { name: 'decidedUnknownOrder', outcome: 'refused' },
    refused: { name: 'decidedRefused', outcome: 'refused' },
    failed: { name: 'decidedFailed', outcome: 'failed' },
    lost: { name: 'decidedLost', outcome: 'failed' },
    waiting: { name: 'decidedWaiting', outcome: 'pending' },
  };

export interface NoticePicture {
  readonly notices: readonly Notice[];
  readonly silence: Silence | undefined;
  readonly foundBy: string | undefined;
  /** Where WeChat was told to send them. */
  readonly notifyUrl: string | undefined;
  /** WeChat's next try. */
  readonly nextAttemptAt: string | undefined;
}

/** `onOpen` shows a message in full. */
export function showNotices(picture: NoticePicture, onOpen: (key: string) => void): HTMLElement {
  const { notices, silence, foundBy, notifyUrl, nextAttemptAt } = picture;
  return element(
    'section.notices',
    {},
    element('h3', {}, text('notices')),
    silence !== undefined &&
      element(
        'p.callout',
        { 'data-outcome': isExpected(silence) ? 'pending' : 'refused' },
        text(silence, { by: foundBy ?? '–' }),
      ),
    element(
      'p.note',
      {},
      notifyUrl === undefined ? text('notifyUrlNone') : text('notifyUrl', { url: notifyUrl }),
    ),
    element(
      'ol.history',
      {},
      ...notices.map((notice) => showNotice(notice, onOpen)),
      ...(nextAttemptAt === undefined ? [] : [showNextAttempt(nextAttemptAt)]),
    ),
  );
}

/** Nothing is missing: WeChat has no payment to tell of. */
const isExpected = (silence: Silence) => silence === 'silentUnpaid' || silence === 'silentClosed';

const showNextAttempt = (at: string) =>
  element(
    'li',
    { 'data-outcome': 'pending' },
    element('time', {}, clockTime(at)),
    element('p', {}, text('nextTry', { time: clockTime(at) })),
  );

function showNotice(notice: Notice, onOpen: (key: string) => void): HTMLElement {
  const { at, kind, id, decision, from, to, answer, words, reason, isArchived, message } = notice;
  const { name, outcome } = DECISIONS[decision] ?? { name: 'decidedOther', outcome: 'ok' };
  return element(
    'li',
    { 'data-outcome': outcome, 'data-decision': decision },
    element('time', {}, clockTime(at)),
    element(
      'div',
      {},
      element(
        'p',
        {},
        element('strong', {}, text(kind === 'refund' ? 'noticeRefund' : 'noticePayment')),
        ` · ${text(name, { decision })}`,
        from !== undefined && to !== undefined && ` ${from} → ${to}`,
      ),
      element('p.by', {}, answer === undefined ? text('saidNothing') : sayAnswer(answer, words)),
      reason !== undefined && element('p.by', {}, resultText(reason)),
      id !== undefined && element('p.by', {}, `id ${id}`),
      element('p.by', {}, text(isArchived ? 'noticeArchived' : 'noticeLogOnly')),
      showMore(notice, onOpen),
      message !== undefined &&
        element(
          'details',
          {},
          element('summary', {}, text('noticeMessage')),
          element('pre', { tabindex: 0 }, formatBody(message)),
        ),
    ),
  );
}

const sayAnswer = (answer: number, words: string) =>
  text('said', { answer: words === '' ? String(answer) : `${answer} ${words}` });

function showMore({ exchangeKey }: Notice, onOpen: (key: string) => void) {
  if (exchangeKey === undefined) {
    return undefined;
  }
  const button = element('button.link', { type: 'button' }, text('noticeOpen'));
  button.addEventListener('click', () => onOpen(exchangeKey));
  return button;
}
