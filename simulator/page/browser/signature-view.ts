/** How a signature comes about, step by step, and whether this one is right. */
import { element } from './dom.ts';
import type { SignatureReport } from './messages.ts';
import { readXml } from './wechat-answers.ts';
import { isRsa, showRsaSignature } from './rsa-view.ts';
import { currentLanguage, text } from './texts.ts';

export function showSignature(
  title: 'signature' | 'signatureOfAnswer',
  report: SignatureReport,
  { body, fault }: { readonly body: string; readonly fault?: string | undefined },
): HTMLElement {
  const fields = isRsa(report) ? [] : splitFields(report.stringToSign);
  const altered = title === 'signatureOfAnswer' ? listAltered(fields, body) : [];
  const isWrong = report.result === 'invalid' || altered.length > 0;
  return element(
    'section.signature',
    {},
    element('h4', {}, text(title)),
    element(
      'p.callout',
      { 'data-outcome': isWrong ? 'refused' : 'ok' },
      describe(report, altered, fault),
    ),
    ...(isRsa(report)
      ? showRsaSignature(title, report)
      : [showComparison(report), showRecipe(title, report, fields)]),
  );
}

const showRecipe = (title: string, report: SignatureReport, fields: readonly Field[]) =>
  element(
    'details',
    { open: title === 'signature' },
    element('summary', {}, `${report.algorithm} · ${text('fieldsCount', { n: fields.length })}`),
    element('ol.steps', {}, ...showSteps(report, fields)),
  );

function describe(
  report: SignatureReport,
  altered: readonly string[],
  fault: string | undefined,
): string {
  if (altered.length > 0) {
    return text('signatureAltered', { fields: altered.join(', ') });
  }
  if (report.result !== 'invalid') {
    return text(report.result === 'valid' ? 'signatureValid' : 'signatureOwn');
  }
  if (fault === 'tamper' && !isRsa(report)) {
    return text('signatureTampered');
  }
  const causes = (report.likelyCauses ?? []).map((cause) => cause[currentLanguage()]);
  return `${text('signatureInvalid')} (${causes.join('; ')})`;
}

const isEqual = ({ expected, received }: SignatureReport) => expected === received?.toUpperCase();

function showComparison(report: SignatureReport): HTMLElement {
  return element(
    'dl.compare',
    { 'data-outcome': isEqual(report) ? 'ok' : 'refused' },
    element('dt', {}, text('calculated')),
    element('dd', {}, report.expected ?? ''),
    element('dt', {}, text('carried')),
    element('dd', {}, report.received ?? text('missing')),
  );
}

type Field = readonly [name: string, value: string];

function showSteps(report: SignatureReport, fields: readonly Field[]): HTMLElement[] {
  const isSame = isEqual(report);
  const joined = fields.map(([name, value]) => `${name}=${value}`).join('&');
  return [
    element(
      'li',
      {},
      text('step1'),
      element(
        'dl.fields',
        {},
        ...fields.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
      ),
    ),
    element('li', {}, text('step2'), element('code.string', {}, joined)),
    element(
      'li',
      {},
      text('step3'),
      element('code.string', {}, '…', element('mark', {}, '&key=••••••••')),
    ),
    element(
      'li',
      {},
      text('step4', { algorithm: report.algorithm }),
      element('code.string', {}, report.expected ?? ''),
    ),
    element(
      'li',
      {},
      text('step5'),
      element(
        'p.verdict',
        { 'data-outcome': isSame ? 'ok' : 'refused' },
        `${isSame ? '=' : '≠'} ${text(isSame ? 'same' : 'different')}`,
      ),
    ),
  ];
}

/** A value may contain `&`; a name is letters, digits and underscores after one. */
function splitFields(stringToSign: string): Field[] {
  const withoutKey = stringToSign.replace(/&key=[^&]*$/, '');
  return withoutKey.split(/&(?=\w+=)/).map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });
}

/** Fields of the body that are not what was signed: a fault changed them on the way. */
function listAltered(fields: readonly Field[], body: string): string[] {
  return fields
    .filter(([name, value]) => (readXml(body, name) ?? value) !== value)
    .map(([name, value]) => `${name} ${value} → ${readXml(body, name)}`);
}
