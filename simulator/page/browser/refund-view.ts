/** What was given back of an order: the reservation on its row, and every refund beside it. */
import { simulator } from './backend.ts';
import { element } from './dom.ts';
import type { RefundRow, Row } from './rows.ts';
import { clockTime, text } from './texts.ts';

const WAITING_FOR = ['BALANCE', 'CONFIG', 'PAUSE'] as const;
/** How WeChat may end a refund, where the simulator is asked for it. */
const ENDS = ['SUCCESS', 'CLOSED', 'ABNORMAL'] as const;

const OUTCOMES = {
  PENDING: 'pending',
  PROCESSING: 'pending',
  SUCCESS: 'ok',
  CLOSED: 'refused',
  ABNORMAL: 'failed',
} as const satisfies Record<RefundRow['status'], string>;

export const yuan = (fen: unknown) => (Number(fen) / 100).toFixed(2);

export function showRefunds(row: Row, refunds: readonly RefundRow[]): HTMLElement | false {
  return (
    refunds.length > 0 &&
    element(
      'section.refunds',
      {},
      element('h3', {}, text('refunds')),
      row['refundableFen'] !== undefined &&
        element(
          'p.note',
          {},
          text('reservation', {
            total: yuan(row['totalFen']),
            left: yuan(Math.max(0, Number(row['refundableFen']))),
            count: refunds.filter(({ status }) => status !== 'CLOSED').length,
          }),
        ),
      element('ol.history', {}, ...refunds.map(showRefund)),
    )
  );
}

function showRefund(refund: RefundRow): HTMLElement {
  const { outRefundNo, refundFen, status } = refund;
  const waitingFor = WAITING_FOR.find((one) => one === refund['waitingFor']);
  const failure = refund['failure'] as { code: string; message: string } | undefined;
  return element(
    'li',
    { 'data-outcome': OUTCOMES[status] },
    element('time', {}, clockTime(String(refund['createdAt']))),
    element(
      'div',
      {},
      element(
        'p',
        {},
        element('span.state', { 'data-refund': status }, status),
        `¥${yuan(refundFen)} · ${outRefundNo}`,
      ),
      element('p.by', {}, text(`refund${status}`)),
      waitingFor && element('p.by', {}, text(`waiting${waitingFor}`)),
      failure && element('p.by', {}, text('refundFailure', failure)),
      // What WeChat has never heard of it cannot end.
      refund['acceptedAt'] !== undefined && status !== 'SUCCESS' && showEnds(outRefundNo),
    ),
  );
}

function showEnds(outRefundNo: string): HTMLElement {
  const path = `/refunds/${encodeURIComponent(outRefundNo)}`;
  return element(
    'p.ends',
    {},
    text('endsAs'),
    ...ENDS.map((status) => {
      const button = element('button.chip', { type: 'button' }, status);
      button.addEventListener('click', () => void simulator('POST', path, { status }));
      return button;
    }),
  );
}
