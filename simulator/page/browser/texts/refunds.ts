/** Texts about giving money back. */
import type { TextTable } from './table.ts';

export const REFUND_TEXTS = {
  refundTitle: ['Give money back', '退款'],
  refundHelp: [
    'As your own people do it: POST /orders/…/refunds, signed with AWS Signature Version 4.',
    '与商户自己的系统一样：POST /orders/…/refunds，用 AWS 签名版本 4 签名。',
  ],
  refundAmount: ['Yuan; empty: all that is left', '金额（元），留空为全部剩余'],
  refundOnce: ['Refund', '退款'],
  refundTwice: ['Two at once', '同时两笔'],
  refundAnswers: ['Answers of your API', '你的接口的应答'],
  refundAmountInvalid: [
    'An amount in yuan with at most two decimals.',
    '请填写金额（元），最多两位小数。',
  ],
  refunds: ['Refunds', '退款记录'],
  reservation: [
    'Of ¥{total} there are ¥{left} left to give back; {count} refund(s) have reserved the rest.',
    '¥{total} 中还可退 ¥{left}；其余由 {count} 笔退款占用。',
  ],
  refundPENDING: [
    'Reserved here; WeChat has not taken it up yet. Reconcile sends it again under the same number.',
    '已在本地占用，微信尚未受理。reconcile 会用同一单号重发。',
  ],
  refundPROCESSING: [
    'WeChat has taken it up; the money is on its way to the buyer.',
    '微信已受理，正在退给用户。',
  ],
  refundSUCCESS: ['The buyer has the money.', '用户已收到退款。'],
  refundCLOSED: [
    'Ended without money moving: its amount is free again. A new refund needs a new number.',
    '已关闭，没有退款：占用的金额已释放。再次退款要用新的单号。',
  ],
  refundABNORMAL: [
    'The money cannot reach the buyer (a card that was closed, say). It stays reserved and the alarm rings: a person decides where it goes.',
    '退款异常，无法退到用户（例如银行卡已注销）。金额仍被占用并触发告警，须由人工决定退到哪里。',
  ],
  waitingBALANCE: ["It waits: the merchant's balance is too short.", '等待中：商户余额不足。'],
  waitingCONFIG: ['It waits: the owner has to mend the setup.', '等待中：须由负责人修正配置。'],
  waitingPAUSE: [
    'It waits: WeChat wants a minute between two refunds of an order.',
    '等待中：同一订单两次退款须间隔一分钟。',
  ],
  historyReserved: ['Reserved for a refund', '为一笔退款占用金额'],
  historyRefund: ['Refund changed', '退款状态已更改'],
  refundFailure: ["WeChat's words: {code} {message}", '微信原文：{code} {message}'],
  endsAs: ['At WeChat it ends as', '在微信的结果设为'],
} as const satisfies TextTable;
