/** Texts about one order: its row, its history, its notifications. */
import type { TextTable } from './table.ts';

export const ORDER_TEXTS = {
  noOrder: ['No order yet.', '暂无订单。'],
  chooseOrder: ['Order', '订单'],
  inStep: ['In step: table and WeChat agree.', '一致：数据表与微信相同。'],
  outOfStep: [
    'Out of step: WeChat says {wechat}, the table says {table}.',
    '不一致：微信为 {wechat}，数据表为 {table}。',
  ],
  healsBy: ['Heals with {ways}.', '恢复方式：{ways}。'],
  healsByQuery: ["the client's next question", '小程序下次查询'],
  healsByReconcile: ['reconcile at {time}', '{time} 的查单'],
  healsByRetry: ["WeChat's retry at {time}", '{time} 的微信重发'],
  closing: [
    'Given up by its buyer: POST /prepay refuses it now, and it is closed at WeChat as soon as WeChat lets it.',
    '用户已取消：不能再预支付，微信允许时立即关单。',
  ],
  closesAt: ['Next try at {time}.', '下次尝试：{time}。'],
  flagged: [
    'Paid after it was closed: recorded and flagged. Ship it or refund it.',
    '关闭后收到付款：已记录并标记，请发货或退款。',
  ],
  mismatched: [
    'A message contradicted this order: {field} {observed} instead of {expected}. The order is unchanged.',
    '有消息与订单不符：{field} 为 {observed}，应为 {expected}。订单未改变。',
  ],
  row: ['Row in the table', '表中的行'],
  allAttributes: ['All attributes', '全部属性'],
  history: ['History', '历史'],
  historyCreated: ['Created as {to}', '创建，状态 {to}'],
  historyMoved: ['{from} → {to}', '{from} → {to}'],
  historyMovedRefused: [
    '{from} → {to} refused: the row was different',
    '{from} → {to} 未写入：行已改变',
  ],
  historyClosing: ['Given up by its buyer', '用户取消了订单'],
  historyChecked: ['WeChat asked: still unpaid', '已查询微信：仍未支付'],
  historyMismatch: ['Contradiction recorded', '记录了不符的消息'],
  condition: ['Condition of the write', '写入条件'],
  historyOther: ['Changed', '已更改'],
  nextTry: ['next try {time}', '下次 {time}'],
} as const satisfies TextTable;
