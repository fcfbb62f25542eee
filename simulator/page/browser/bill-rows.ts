/** The rows that WeChat's bill has, and what each may be made to say instead. */
import {
  type BillRow,
  type BillView,
  type Change,
  FLAGS,
  isAbout,
  type Plan,
  planOf,
  withChange,
  withoutChange,
} from './bill-data.ts';
import { element } from './dom.ts';
import { actionButton } from './place.ts';
import { yuan } from './refund-view.ts';
import { text, type TextName } from './texts.ts';

type Plant = (plan: Plan) => void;
type Choice = readonly [name: TextName, change: Change];

const FLAG_TEXTS = {
  truncate: 'billTruncate',
  wrongSum: 'billWrongSum',
  wrongHash: 'billWrongHash',
} as const satisfies Record<(typeof FLAGS)[number], TextName>;

/** Well above what rounding to a fen explains. */
const WRONG_FEE_FEN = 100;
const UNKNOWN_FEN = 990;

export function showRows(bill: BillView, plant: Plant): HTMLElement {
  const plan = planOf(bill);
  const added = plan.alter.filter((change) => !bill.honestRows.some((row) => isAbout(row, change)));
  return element(
    'section.bill-rows',
    { 'aria-labelledby': 'bill-rows-title' },
    element('h3', { id: 'bill-rows-title' }, text('billRows')),
    element('p.note', {}, text('billRowsHelp')),
    element(
      'ol.bill-lines',
      {},
      ...bill.honestRows.map((row) => showRow(row, plan, plant)),
      ...added.map((change) => showAdded(change, plan, plant)),
    ),
    element('h4', {}, text('billWhole')),
    showWhole(plan, added.length, plant),
  );
}

function showRow(row: BillRow, plan: Plan, plant: Plant): HTMLElement {
  const { outTradeNo, outRefundNo, time, tradeState, feeFen } = row;
  const number = outRefundNo || outTradeNo;
  const planted = plan.alter.find((change) => isAbout(row, change));
  const amount = outRefundNo === '' ? yuan(row.orderedFen) : `−${yuan(row.requestedRefundFen)}`;
  return element(
    'li',
    { 'data-row': number },
    element(
      'p',
      {},
      element('time', {}, time.slice(11)),
      element('span.number', {}, number),
      planted && element('span.state', { 'data-bill': 'OPEN' }, text('billAltered')),
    ),
    element('p.by', {}, `${tradeState} ¥${amount} · ${text('billFee', { fee: yuan(feeFen) })}`),
    planted
      ? element(
          'p.ends',
          {},
          element('code', {}, describe(planted)),
          actionButton(`alter/${number}`, text('billUndo'), () => plant(withoutChange(plan, row))),
        )
      : showChoices(row, number, plan, plant),
  );
}

function showChoices(row: BillRow, number: string, plan: Plan, plant: Plant): HTMLElement {
  return element(
    'details',
    { id: `alter-${number}` },
    element('summary', { 'data-action': `alter/${number}` }, text('billAlter', { number })),
    element(
      'p.ends',
      {},
      ...choicesFor(row).map(([name, change]) =>
        actionButton(`alter/${number}/${name}`, text(name), () =>
          plant(withChange(plan, row, change)),
        ),
      ),
    ),
  );
}

function choicesFor(row: BillRow): readonly Choice[] {
  const fen = row.outRefundNo === '' ? row.orderedFen : row.requestedRefundFen;
  const both: Choice[] = [
    ['billLess', { fen: Math.max(0, fen - 1) }],
    ['billRemove', { remove: true }],
    ['billRepeat', { repeat: 1 }],
    ['billMerchant', { mchid: `${row.mchid.slice(0, -1)}${row.mchid.endsWith('0') ? '1' : '0'}` }],
    ['billWrongFee', { feeFen: row.feeFen + WRONG_FEE_FEN }],
    ['billNextDay', { nextDay: true }],
  ];
  return row.outRefundNo === '' ? [...both, ['billRevoked', { tradeState: 'REVOKED' }]] : both;
}

/** Without the number, which stands above. */
const describe = ({ outTradeNo: _order, outRefundNo: _refund, ...change }: Change) =>
  Object.entries(change)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');

function showAdded(change: Change, plan: Plan, plant: Plant): HTMLElement {
  const name = { outTradeNo: change.outTradeNo ?? '', outRefundNo: change.outRefundNo };
  const number = name.outRefundNo ?? name.outTradeNo;
  return element(
    'li',
    { 'data-row': number },
    element(
      'p',
      {},
      element('span.number', {}, number),
      element('span.state', { 'data-bill': 'OPEN' }, text('billAdded')),
    ),
    element(
      'p.ends',
      {},
      element('code', {}, describe(change)),
      actionButton(`alter/${number}`, text('billUndo'), () => plant(withoutChange(plan, name))),
    ),
  );
}

function showWhole(plan: Plan, added: number, plant: Plant): HTMLElement {
  const isLegacy = plan.layout === 'legacy';
  const { layout: _layout, ...rest } = plan;
  const add = () =>
    plant(withChange(plan, { outTradeNo: `till-${added + 1}` }, { fen: UNKNOWN_FEN }));
  return element(
    'p.ends',
    {},
    actionButton('file/add', text('billAdd'), add),
    ...FLAGS.map((flag) =>
      actionButton(
        `file/${flag}`,
        text(FLAG_TEXTS[flag]),
        () => plant({ ...plan, [flag]: plan[flag] !== true }),
        { 'aria-pressed': String(plan[flag] === true) },
      ),
    ),
    actionButton(
      'file/layout',
      text('billLegacy'),
      () => plant(isLegacy ? rest : { ...rest, layout: 'legacy' }),
      { 'aria-pressed': String(isLegacy) },
    ),
  );
}
