/** The rows of the table, as the local stack shows them. */

export type Row = Readonly<Record<string, unknown>> & { readonly tradeState: string };

export type RefundRow = Readonly<Record<string, unknown>> & {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly status: 'PENDING' | 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
};
