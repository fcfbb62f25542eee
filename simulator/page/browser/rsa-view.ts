/** A signature of API v3: what WeChat checked, the lines that are signed, and the key. */
import { element } from './dom.ts';
import type { SignatureReport } from './messages.ts';
import { currentLanguage, keyText, text, type TextName } from './texts.ts';

const REQUEST = ['lineMethod', 'lineAddress', 'lineTimestamp', 'lineNonce', 'lineBody'] as const;
const ANSWER = ['lineTimestamp', 'lineNonce', 'lineBody'] as const;
const PAYMENT = ['appId', 'timeStamp', 'nonceStr', 'package'] as const;

export const isRsa = ({ algorithm }: SignatureReport) =>
  algorithm !== 'MD5' && algorithm !== 'HMAC-SHA256';

/** Everything under the sentence that says whether the signature is right. */
export function showRsaSignature(
  title: 'signature' | 'signatureOfAnswer',
  report: SignatureReport,
): (HTMLElement | undefined)[] {
  const lines = splitLines(report);
  return [
    report.steps && showChecks(report.steps),
    showKey(report),
    element(
      'details',
      { open: title === 'signature' },
      element('summary', {}, `${report.algorithm} · ${text('linesCount', { n: lines.length })}`),
      element('ol.steps', {}, ...showSteps(report, lines)),
    ),
  ];
}

function showChecks(steps: NonNullable<SignatureReport['steps']>): HTMLElement {
  return element(
    'ul.checks',
    { 'aria-label': text('checks') },
    ...steps.map((step) =>
      element(
        'li',
        { 'data-outcome': step.ok ? 'ok' : 'refused' },
        element('span.check-mark', { 'aria-hidden': 'true' }, step.ok ? '✓' : '✗'),
        element('span.hidden', {}, `${text(step.ok ? 'outcomeOk' : 'outcomeRefused')}: `),
        element('code', {}, step.check),
        ` ${step[currentLanguage()]}`,
      ),
    ),
  );
}

function showKey({ keyName, serial }: SignatureReport): HTMLElement | undefined {
  return keyName === undefined && serial === undefined
    ? undefined
    : element(
        'dl.compare',
        {},
        ...(keyName === undefined
          ? []
          : [element('dt', {}, text('verifiedBy')), element('dd', {}, keyText(keyName))]),
        element('dt', {}, text('serial')),
        element('dd', {}, serial ?? text('missing')),
      );
}

type Line = readonly [name: string, value: string];

/** The body is the last line and may itself have line feeds. */
function splitLines({ algorithm, stringToSign }: SignatureReport): Line[] {
  if (stringToSign === '') {
    return [];
  }
  const names =
    algorithm === 'RSA'
      ? PAYMENT
      : (isFromWechat(stringToSign) ? ANSWER : REQUEST).map((name: TextName) => text(name));
  const parts = stringToSign.replace(/\n$/, '').split('\n');
  const last = names.length - 1;
  const values = [...parts.slice(0, last), parts.slice(last).join('\n')];
  return names.map((name, at) => [name, values[at] ?? ''] as const);
}

/** A request begins with its method, everything of WeChat with the time. */
const isFromWechat = (stringToSign: string) => /^\d/.test(stringToSign);

function showSteps(report: SignatureReport, lines: readonly Line[]): HTMLElement[] {
  const isRight = report.result !== 'invalid';
  return [
    element(
      'li',
      {},
      text('rsaStep1'),
      element(
        'dl.fields',
        {},
        ...lines.flatMap(([name, value]) => [
          element('dt', {}, name),
          element('dd', {}, value, element('mark', { 'aria-hidden': 'true' }, '↵')),
        ]),
      ),
    ),
    element(
      'li',
      {},
      text('rsaStep2'),
      element('code.string', {}, report.expected ?? text('onlyWithPrivateKey')),
    ),
    element(
      'li',
      {},
      text('rsaStep3'),
      element('code.string', {}, report.received ?? text('missing')),
      element(
        'p.verdict',
        { 'data-outcome': isRight ? 'ok' : 'refused' },
        `${isRight ? '=' : '≠'} ${text(isRight ? 'fits' : 'fitsNot')}`,
      ),
    ),
  ];
}
