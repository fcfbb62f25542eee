/**
 * The price list (价目表): amounts that choose what happens, so that a test needs no call of the
 * control API. From ¥77,000.01 on, which no ordinary product costs.
 */
import type { PaymentWish } from '../book/payment.ts';
import type { RefundEnd } from '../book/refunds.ts';
import type { OpenState } from '../book/trade-state.ts';
import type { Fault, FaultKind, FaultPoint } from './faults.ts';

const BASE_FEN = 7_700_000;

/** What an attempt to pay comes to. `refused` leaves the order as it is. */
export type PricedPayment =
  | { readonly wish: PaymentWish }
  | { readonly state: Exclude<OpenState, 'NOTPAY'> | 'REVOKED' }
  | { readonly refused: 'NOT_ENOUGH' };

interface Priced {
  readonly fen: number;
  /** Where it happens; a payment is no fault point. */
  readonly at: FaultPoint | 'pay';
  readonly en: string;
  readonly zh: string;
  readonly fault?: Pick<Fault, 'kind'> & Partial<Pick<Fault, 'code' | 'signed' | 'status'>>;
  /** Of a notification: the first attempt only. */
  readonly firstOnly?: boolean;
  readonly payment?: PricedPayment;
  readonly refundEnd?: RefundEnd;
}

const cents = (number: number) => BASE_FEN + number;

const fault = (
  number: number,
  at: FaultPoint,
  wish: NonNullable<Priced['fault']>,
  en: string,
  zh: string,
): Priced => ({ fen: cents(number), at, fault: wish, en, zh });

const payment = (number: number, what: PricedPayment, en: string, zh: string): Priced => ({
  fen: cents(number),
  at: 'pay',
  payment: what,
  en,
  zh,
});

const refundEnd = (number: number, end: RefundEnd, en: string, zh: string): Priced => ({
  fen: cents(number),
  at: 'refund',
  refundEnd: end,
  en,
  zh,
});

const first = (priced: Priced): Priced => ({ ...priced, firstOnly: true });

const CASH = { couponId: '7700000001', type: 'CASH', fen: 100 } as const;
const NO_CASH = { couponId: '7700000002', type: 'NO_CASH', fen: 200 } as const;

/** In the order of the numbers after ¥77,000. */
export const PRICE_LIST: readonly Priced[] = [
  fault(1, 'unifiedorder', { kind: 'error', code: 'SYSTEMERROR' }, 'SYSTEMERROR', 'SYSTEMERROR'),
  fault(
    2,
    'unifiedorder',
    { kind: 'error', code: 'FREQUENCY_LIMITED' },
    'FREQUENCY_LIMITED',
    '频率限制 FREQUENCY_LIMITED',
  ),
  fault(3, 'unifiedorder', { kind: 'error', code: 'NOAUTH' }, 'NOAUTH', '无权限 NOAUTH'),
  fault(
    4,
    'unifiedorder',
    { kind: 'error', code: 'SIGNERROR', signed: false },
    'SIGNERROR without signature',
    '不带签名的 SIGNERROR',
  ),
  fault(5, 'unifiedorder', { kind: 'timeout-before' }, 'no answer, no order', '不应答，未下单'),
  fault(
    6,
    'unifiedorder',
    { kind: 'timeout-after' },
    'no answer, the order is made',
    '不应答，但已下单',
  ),
  fault(7, 'unifiedorder', { kind: 'html' }, 'an HTML page, 502', 'HTML 页面，502'),
  fault(
    8,
    'unifiedorder',
    { kind: 'truncated' },
    'half an answer, the order is made',
    '半个应答，但已下单',
  ),
  fault(9, 'unifiedorder', { kind: 'tamper' }, 'an answer with a wrong signature', '应答签名错误'),
  payment(11, { wish: { coupons: [CASH] } }, 'paid with a coupon of ¥1', '使用 1 元充值代金券支付'),
  payment(
    12,
    { wish: { coupons: [CASH, NO_CASH] } },
    'paid with two coupons, ¥1 CASH and ¥2 NO_CASH',
    '使用两张代金券支付：1 元充值、2 元免充值',
  ),
  payment(13, { wish: { payerCurrency: 'HKD' } }, 'paid in HKD', '以港币支付'),
  payment(
    14,
    { state: 'USERPAYING' },
    'USERPAYING at first; a second attempt pays',
    '先是 USERPAYING；再次支付即成功',
  ),
  payment(
    15,
    { state: 'ACCEPT' },
    'ACCEPT at first; a second attempt pays',
    '先是 ACCEPT；再次支付即成功',
  ),
  payment(
    16,
    { state: 'PAYERROR' },
    'PAYERROR at first; a second attempt pays',
    '先是 PAYERROR；再次支付即成功',
  ),
  payment(17, { state: 'REVOKED' }, 'REVOKED', '订单撤销 REVOKED'),
  payment(
    18,
    { refused: 'NOT_ENOUGH' },
    'the buyer has not enough money, each time',
    '余额不足，每次如此',
  ),
  fault(21, 'notify', { kind: 'lost' }, 'no notification arrives', '通知永远不会到达'),
  first(fault(22, 'notify', { kind: 'late' }, 'the notification is 30 s late', '通知晚 30 秒')),
  first(fault(23, 'notify', { kind: 'duplicate' }, 'two notifications at once', '同时两份通知')),
  first(
    fault(
      24,
      'notify',
      { kind: 'tamper' },
      'the first notification is altered',
      '第一次通知被篡改',
    ),
  ),
  first(
    fault(
      25,
      'notify',
      { kind: 'wrong-amount' },
      'the first notification says one fen more',
      '第一次通知多一分钱',
    ),
  ),
  first(
    fault(
      26,
      'notify',
      { kind: 'probe' },
      'the first notification is a probe (v3)',
      '第一次通知为签名探测（v3）',
    ),
  ),
  first(
    fault(
      27,
      'notify',
      { kind: 'timeout-after' },
      'the first acknowledgement is lost',
      '第一次通知的应答丢失',
    ),
  ),
  fault(31, 'orderquery', { kind: 'error', code: 'SYSTEMERROR' }, 'SYSTEMERROR', 'SYSTEMERROR'),
  fault(32, 'orderquery', { kind: 'html' }, 'an HTML page, 502', 'HTML 页面，502'),
  fault(33, 'orderquery', { kind: 'timeout-before' }, 'no answer', '不应答'),
  fault(34, 'orderquery', { kind: 'truncated' }, 'half an answer', '半个应答'),
  fault(
    41,
    'closeorder',
    { kind: 'error', code: 'USERPAYING' },
    'USERPAYING; 202 in v3',
    'USERPAYING；v3 为 202',
  ),
  fault(42, 'closeorder', { kind: 'error', code: 'SYSTEMERROR' }, 'SYSTEMERROR', 'SYSTEMERROR'),
  fault(
    43,
    'closeorder',
    { kind: 'timeout-after' },
    'no answer, the order is closed',
    '不应答，但已关单',
  ),
  fault(
    51,
    'refund',
    { kind: 'error', code: 'NOTENOUGH' },
    'the balance is too short: NOTENOUGH',
    '余额不足 NOTENOUGH',
  ),
  fault(52, 'refund', { kind: 'error', code: 'SYSTEMERROR' }, 'SYSTEMERROR', 'SYSTEMERROR'),
  fault(
    53,
    'refund',
    { kind: 'error', code: 'USER_ACCOUNT_ABNORMAL' },
    "the buyer's account is closed: USER_ACCOUNT_ABNORMAL",
    '用户账户异常 USER_ACCOUNT_ABNORMAL',
  ),
  fault(
    54,
    'refund',
    { kind: 'timeout-after' },
    'no answer, the refund is accepted',
    '不应答，但已受理退款',
  ),
  refundEnd(55, 'ABNORMAL', 'the refund becomes ABNORMAL', '退款变为 ABNORMAL'),
  refundEnd(56, 'CLOSED', 'the refund becomes CLOSED', '退款变为 CLOSED'),
  fault(57, 'refundquery', { kind: 'error', code: 'SYSTEMERROR' }, 'SYSTEMERROR', 'SYSTEMERROR'),
];

export interface PriceList {
  isEnabled(): boolean;
  setEnabled(enabled: boolean): void;
  /** What this amount makes happen at this point, if it is on the list and possible here. */
  take(
    point: FaultPoint,
    totalFen: number | undefined,
    isPossible?: (kind: FaultKind) => boolean,
    isFirst?: boolean,
  ): Fault | undefined;
  payment(totalFen: number): PricedPayment | undefined;
  /** How the refunds of an order of this amount end. */
  refundEnd(totalFen: number): RefundEnd | undefined;
}

/** `read` and `write` keep the one setting. */
export function createPriceList(read: () => boolean, write: (enabled: boolean) => void): PriceList {
  const find = (at: Priced['at'], totalFen: number | undefined) =>
    read() ? PRICE_LIST.find((one) => one.fen === totalFen && one.at === at) : undefined;
  return {
    isEnabled: read,
    setEnabled: write,
    take(point, totalFen, isPossible = () => true, isFirst = true) {
      const priced = find(point, totalFen);
      const isDue =
        priced?.fault && isPossible(priced.fault.kind) && (isFirst || !priced.firstOnly);
      return isDue && priced.fault
        ? { id: `price-${priced.fen}`, point, rate: 1, hits: 1, chances: 1, ...priced.fault }
        : undefined;
    },
    payment: (totalFen) => find('pay', totalFen)?.payment,
    refundEnd: (totalFen) => find('refund', totalFen)?.refundEnd,
  };
}
