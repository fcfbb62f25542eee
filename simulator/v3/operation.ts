/** One operation of API v3 that a request asks for. */
import type { Order } from '../book/orders.ts';
import type { BillFalsehood } from '../book/bills.ts';
import type { FaultPoint } from '../host/faults.ts';
import type { V3Outcome } from './errors.ts';

export interface V3Operation {
  readonly point: FaultPoint &
    (
      | 'unifiedorder'
      | 'orderquery'
      | 'closeorder'
      | 'refund'
      | 'refundquery'
      | 'downloadbill'
      | 'billdownload'
      | 'certificates'
    );
  /** The order that the address names. */
  readonly order?: Order | undefined;
  /** The price, of a new order too. */
  readonly totalFen?: number | undefined;
  readonly run: () => V3Outcome;
  /** Where a false answer is not the true one with other fields. */
  readonly runFalsely?: (falsehood: BillFalsehood) => V3Outcome;
}
