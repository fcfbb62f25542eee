/** States of an order (trade_state), and what each allows. */

/** Unpaid, and may still be paid. */
export const OPEN_STATES = ['NOTPAY', 'USERPAYING', 'ACCEPT', 'PAYERROR'] as const;
export type OpenState = (typeof OPEN_STATES)[number];
export type TradeState = OpenState | 'SUCCESS' | 'REFUND' | 'CLOSED' | 'REVOKED';

interface Stated {
  readonly tradeState: TradeState;
}

/** Paid, whatever became of the money later. */
export const isPaid = ({ tradeState }: Stated) =>
  tradeState === 'SUCCESS' || tradeState === 'REFUND';

/** The buyer is at the password, or the money is on its way: it cannot be closed now. */
export const isBeingPaid = ({ tradeState }: Stated) =>
  tradeState === 'USERPAYING' || tradeState === 'ACCEPT';

/** `trade_state_desc`, in both API versions. */
export const STATE_TEXTS: Readonly<Record<TradeState, string>> = {
  NOTPAY: '订单未支付',
  USERPAYING: '需要用户输入支付密码',
  ACCEPT: '已接收，等待扣款',
  PAYERROR: '支付失败(其他原因，如银行返回失败)',
  REVOKED: '订单已撤销',
  CLOSED: '订单已关闭',
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款，退款详情请查询退款单',
};

export const isOpen = ({ tradeState }: Stated) => OPEN_STATES.some((state) => state === tradeState);
