/** What a check of a day found: its sums, and each difference with its evidence on both sides. */
import { type BillResult, type BillView, type Difference, isAbout, planOf } from './bill-data.ts';
import { element } from './dom.ts';
import { actionButton } from './place.ts';
import { yuan } from './refund-view.ts';
import { text, type TextName } from './texts.ts';

export interface DifferenceActions {
  putRight(difference: Difference): void;
  explain(difference: Difference, note: string): void;
}

const KINDS = [
  'MISSING_HERE',
  'MISSING_THERE',
  'AMOUNT_DIFFERS',
  'REFUND_MISSING_HERE',
  'REFUND_MISSING_THERE',
  'REFUND_AMOUNT_DIFFERS',
  'STATE_DIFFERS',
  'MERCHANT_DIFFERS',
  'FEE_DIFFERS',
  'DUPLICATE',
] as const;

export function showResult(
  bill: BillView,
  result: BillResult | undefined,
  actions: DifferenceActions,
): HTMLElement {
  return element(
    'section.bill-result',
    { 'aria-labelledby': 'bill-result-title' },
    element('h3', { id: 'bill-result-title' }, text('billResult')),
    ...(result ? describe(bill, result, actions) : [element('p.empty', {}, text('billUnchecked'))]),
  );
}

function describe(bill: BillView, result: BillResult, actions: DifferenceActions): HTMLElement[] {
  const { state, reason = '', differences, repaired, differenceCount } = result;
  const count = differenceCount ?? differences.length;
  return [
    element(
      'p.verdict',
      {},
      element('span.state', { 'data-bill': state }, state),
      text(`bill${state}`, { count, reason }),
    ),
    ...(state === 'NOT_READY' ? [] : [showSums(result)]),
    ...showList('billDifferences', differences, (one) => showDifference(bill, one, actions)),
    ...showList('billRepaired', repaired, (one) => showDifference(bill, one, actions)),
  ];
}

function showSums(result: BillResult): HTMLElement {
  const { payments, refunds, feesFen, carriedOver, foreign, changed, sha1 } = result;
  const total = (one: BillResult['payments']) =>
    text('billCountSum', { count: one.count, sum: yuan(one.totalFen) });
  const facts: [TextName, string][] = [
    ['billPayments', total(payments)],
    ['billRefunds', total(refunds)],
    ['billFees', `¥${yuan(feesFen)}`],
    ['billCarried', String(carriedOver)],
    ['billForeign', String(foreign)],
  ];
  if (changed) {
    facts.push(['billChanged', text('billChangedText', changed)]);
  }
  if (sha1 !== undefined) {
    facts.push(['billFile', sha1]);
  }
  return showFacts(facts);
}

const showFacts = (facts: readonly (readonly [TextName, string])[]) =>
  element(
    'dl.fields',
    {},
    ...facts.flatMap(([name, value]) => [element('dt', {}, text(name)), element('dd', {}, value)]),
  );

const showList = (
  title: TextName,
  differences: readonly Difference[],
  show: (difference: Difference) => HTMLElement,
): HTMLElement[] =>
  differences.length === 0
    ? []
    : [
        element('h4', {}, text(title)),
        element('ol.differences', { 'aria-label': text(title) }, ...differences.map(show)),
      ];

function showDifference(
  bill: BillView,
  difference: Difference,
  actions: DifferenceActions,
): HTMLElement {
  const { state, outTradeNo, outRefundNo, note = '' } = difference;
  const kind = KINDS.find((one) => one === difference.kind);
  const isPlanted = planOf(bill).alter.some((change) => isAbout(difference, change));
  const number = outRefundNo ?? outTradeNo;
  const action = `${difference.kind}/${number}/${difference.line ?? ''}`;
  return element(
    'li',
    { 'data-state': state, 'data-kind': difference.kind },
    element(
      'p',
      {},
      element('span.state', { 'data-bill': state }, difference.kind),
      element('span.number', {}, number),
    ),
    kind && element('p.by', {}, text(`bill${kind}`)),
    showFacts(evidenceOf(difference)),
    state === 'EXPLAINED' && element('p.by', {}, text('billEXPLAINED', { note })),
    isPlanted &&
      element(
        'p.ends',
        {},
        actionButton(`right/${action}`, text('billPutRight'), () => actions.putRight(difference)),
      ),
    state === 'OPEN' && showExplanation(difference, action, number, actions),
  );
}

/** Both amounts, where it stands in which file, and what WeChat said when it was asked. */
function evidenceOf(difference: Difference): (readonly [TextName, string])[] {
  const { hereFen, thereFen, line, sha1, wechat } = difference;
  const there =
    line === undefined
      ? amountOf(thereFen)
      : text('billLine', { sum: thereFen === undefined ? '–' : yuan(thereFen), line });
  return [
    ['billHere', amountOf(hereFen)],
    ['billThere', there],
    ...(wechat === undefined ? [] : [['billAsked', wechat] as const]),
    ...(sha1 === undefined ? [] : [['billFile', sha1] as const]),
  ];
}

const amountOf = (fen: number | undefined) =>
  fen === undefined ? text('billAbsent') : `¥${yuan(fen)}`;

/** An operator's word on a difference: it does not ring again. */
function showExplanation(
  difference: Difference,
  action: string,
  number: string,
  actions: DifferenceActions,
): HTMLElement {
  const label = text('billNote', { number });
  const note = element('input', {
    'aria-label': label,
    placeholder: label,
    maxlength: 200,
    'data-action': `note/${action}`,
  });
  const form = element('form.explain', {}, note);
  form.append(
    element(
      'button.chip',
      { type: 'submit', 'data-action': `explain/${action}` },
      text('billExplain'),
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (note.value.trim() !== '') {
      actions.explain(difference, note.value.trim());
    }
  });
  return form;
}
