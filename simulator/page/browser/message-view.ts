/** One message in full: what it carried, how it was checked, what was answered. */
import { element } from './dom.ts';
import type { Exchange } from './exchanges.ts';
import { readV3Error } from './wechat-answers.ts';
import type { LogLine, Part } from './messages.ts';
import { showDelivery } from './event-view.ts';
import { formatBody } from './format-body.ts';
import { showSignature } from './signature-view.ts';
import { clockTime, resultText, text } from './texts.ts';

export function showMessage(exchange: Exchange): HTMLElement {
  const { wechat, local, from, to, label, outcome, result, time } = exchange;
  const request = (local ?? wechat)?.request;
  // Of a notification, our own record has the whole answer.
  const response = local?.response ?? wechat?.response;
  const tookMs = exchange.endMs === undefined ? undefined : exchange.endMs - exchange.startMs;
  return element(
    'article.message',
    {},
    element(
      'header',
      {},
      element('p.parties', {}, from === to ? text(from) : `${text(from)} → ${text(to)}`),
      element('h3', {}, label),
      element(
        'p.facts',
        {},
        result !== '' && element('span.badge', { 'data-outcome': outcome }, resultText(result)),
        clockTime(time),
        tookMs !== undefined && tookMs >= 1 && ` · ${text('took', { n: Math.round(tookMs) })}`,
      ),
    ),
    exchange.event && showDelivery(exchange.event),
    wechat?.fault !== undefined &&
      element(
        'p.callout',
        { 'data-outcome': 'refused' },
        text('faultStruck', { kind: resultText(wechat.fault) }),
      ),
    wechat?.response && wechat.kind !== 'notify' && showV3Error(wechat.response),
    wechat?.note !== undefined && wechat.note !== result && element('p.note', {}, wechat.note),
    wechat?.kind === 'notify' && showOwnCheck(exchange),
    wechat?.plaintext !== undefined && showPlaintext(wechat.plaintext),
    wechat?.signature &&
      showSignature('signature', wechat.signature, {
        body: wechat.request.body,
        fault: wechat.fault,
      }),
    local?.log && showLog(local.log),
    request &&
      showPart('request', request, local?.method ?? wechat?.method, local?.path ?? wechat?.path),
    response
      ? showPart('response', response, `${response.status}`)
      : element('p.note', {}, text('noResponse')),
    wechat?.answerSignature &&
      showSignature('signatureOfAnswer', wechat.answerSignature, {
        body: wechat.response?.body ?? '',
      }),
  );
}

/** WeChat's refusal in its own words, and which field it is about. */
function showV3Error({
  status,
  body,
}: Part & { readonly status: number }): HTMLElement | undefined {
  const error = status >= 400 ? readV3Error(body) : undefined;
  if (!error) {
    return undefined;
  }
  const details = Object.entries(error.detail ?? {}).filter(([, value]) => value !== null);
  return element(
    'div.callout',
    { 'data-outcome': 'refused' },
    element('p', {}, `${error.code}: ${error.message}`),
    details.length > 0 &&
      element(
        'dl.fields',
        {},
        ...details.flatMap(([name, value]) => [
          element('dt', {}, name),
          element(
            'dd',
            {},
            typeof value === 'string' ? value : JSON.stringify(value, undefined, 2),
          ),
        ]),
      ),
  );
}

const showPlaintext = (plaintext: string) =>
  element(
    'section',
    {},
    element('h4', {}, text('plaintext')),
    element('p.note', {}, text('plaintextHelp')),
    element('pre', { tabindex: 0 }, formatBody(plaintext)),
  );

/** What our own side made of a notification: its answer, and its reason as it logged it. */
function showOwnCheck({ local }: Exchange): HTMLElement {
  if (!local) {
    return element('p.callout', { 'data-outcome': 'failed' }, text('notReached'));
  }
  const status = local.response?.status ?? 0;
  if (status === 200 || status === 204) {
    return element('p.callout', { 'data-outcome': 'ok' }, text('checkedAccepted'));
  }
  const reasons = (local.log ?? []).map(({ reason, code }) => reason ?? code);
  const reason = reasons.find((one) => typeof one === 'string') ?? '';
  return element(
    'p.callout',
    { 'data-outcome': 'refused' },
    text('checkedRefused', { reason: `${status} · ${reason}` }),
  );
}

function showPart(
  name: 'request' | 'response',
  { headers, body }: Part,
  ...line: (string | undefined)[]
): HTMLElement {
  const entries = Object.entries(headers);
  return element(
    'section',
    {},
    element('h4', {}, text(name)),
    element('p.line', {}, line.filter(Boolean).join(' ')),
    entries.length > 0 &&
      element(
        'details',
        {},
        element('summary', {}, `${text('headers')} (${entries.length})`),
        element(
          'dl.headers',
          {},
          ...entries.flatMap(([header, value]) => [
            element('dt', {}, header),
            element('dd', {}, [value ?? ''].flat().join(', ')),
          ]),
        ),
      ),
    body === ''
      ? element('p.note', {}, text('emptyBody'))
      : element('pre', { tabindex: 0 }, formatBody(body)),
  );
}

const SHOWN_ELSEWHERE = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
  'function',
  'requestId',
]);

function showLog(lines: readonly LogLine[]): HTMLElement {
  return element(
    'section',
    {},
    element('h4', {}, text('functionLog')),
    element(
      'ul.log',
      {},
      ...lines.map((line) => {
        const details = Object.entries(line).filter(([name]) => !SHOWN_ELSEWHERE.has(name));
        return element(
          'li',
          { 'data-level': line.level },
          element('strong', {}, `${line.level} `),
          line.message,
          details.length > 0 &&
            element(
              'span.log-details',
              {},
              details.map(([name, value]) => `${name}=${String(value)}`).join('  '),
            ),
        );
      }),
    ),
  );
}
