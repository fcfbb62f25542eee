/** Texts about events, the bus they go to, and what WeChat sent about an order. */
import type { TextTable } from './table.ts';

export const EVENT_TEXTS = {
  bus: ['EventBridge', 'EventBridge'],
  events: ['Events for your systems', '发给你的系统的事件'],
  noEvents: [
    'None yet: each fact (paid, closed, refunded) becomes one.',
    '暂无：每个事实（支付、关闭、退款）会成为一个事件。',
  ],
  eventsAwaited: [
    '{n} fact(s) in the table wait for EventBridge; none is lost.',
    '表中有 {n} 个事实等待发往 EventBridge，不会丢失。',
  ],
  eventSequence: ['sequence {n}', '序号 {n}'],
  eventTimes: [
    'Taken {n} times: at least once, always under this eventId.',
    '已接收 {n} 次：至少一次，eventId 始终相同。',
  ],
  eventDetail: ['Detail', '事件内容（detail）'],
  eventTaken: ['EventBridge took it.', 'EventBridge 已接收。'],
  eventTakenAgain: [
    'EventBridge took it again: the same eventId a further time. Whoever consumes it keeps each eventId once.',
    'EventBridge 再次接收了同一个 eventId。消费方应按 eventId 去重。',
  ],
  eventRefused: [
    'EventBridge refused this entry. The stream brings it again, and all that come after it.',
    'EventBridge 拒绝了这一条。流会重新投递它及其后的所有记录。',
  ],
  eventAway: [
    'EventBridge is away. The stream keeps the record and brings it again.',
    'EventBridge 不可用。流会保留该记录并重新投递。',
  ],
  eventNoAnswer: [
    'No answer came in time. Perhaps it was taken: it is sent again, under the same eventId.',
    '未及时收到应答，可能已被接收：会以同一个 eventId 再次发送。',
  ],
  eventPending: ['EventBridge has not answered yet.', 'EventBridge 尚未应答。'],
  eventInARow: ['{n} times in a row.', '连续 {n} 次。'],
  historyArchived: ["WeChat's notification put into the archive", '微信通知已存入归档'],

  groupBus: ['EventBridge', 'EventBridge'],
  busRefuse: ['Rejects 3', '拒绝 3 条'],
  busRefuseHelp: [
    'The next 3 events are refused. The stream brings them again, from the first refused one on.',
    '接下来 3 条事件被拒绝。流会从第一条被拒绝的开始重新投递。',
  ],
  busRefuseWaits: ['{n} still to come', '还差 {n} 条'],
  busSlow: ['Slow', '变慢'],
  busSlowHelp: [
    'Each call is answered 2 s later, until you switch it off. Payments do not wait for it.',
    '每次调用延迟 2 秒应答，直到关闭此项。支付不受影响。',
  ],
  busAway: ['Away', '不可用'],
  busAwayHelp: [
    'Every call is answered 503, until you switch it off. What happens meanwhile waits in the stream.',
    '每次调用都返回 503，直到关闭此项。期间的事实在流中等待。',
  ],
  busWaits: ['{n} record(s) wait', '{n} 条记录等待中'],
  busUntilOff: ['until switched off', '直到关闭'],
  busRedeliver: ['Deliver the last 10 again', '重新投递最近 10 条'],
  busRedeliverHelp: [
    'The stream gives its last records again, as AWS may do. Each event keeps its eventId.',
    '流重新投递最近的记录（AWS 也可能如此）。每个事件的 eventId 不变。',
  ],
  busRedelivered: ['{n} record(s) were given again.', '已重新投递 {n} 条记录。'],
  busNothingToRedeliver: [
    'Nothing to give again: no fact was delivered in this run yet. Pay an order first.',
    '没有可重新投递的记录：本次运行尚未投递任何事实。请先支付一笔订单。',
  ],

  notices: ['What WeChat sent and what we said', '微信发来的通知与我们的应答'],
  noticePayment: ['Payment', '支付通知'],
  noticeRefund: ['Refund', '退款通知'],
  decidedApply: ['recorded', '已记录'],
  decidedDuplicate: ['known already, nothing changed', '已知，无变化'],
  decidedStale: ['does not fit what is known, nothing changed', '与已知状态不符，无变化'],
  decidedMismatch: ['contradicts the order, nothing recorded as paid', '与订单不符，未记为已支付'],
  decidedUnknownOrder: ['no such order here', '本地没有这个订单'],
  decidedRefused: ['refused', '已拒绝'],
  decidedFailed: ['could not be recorded, WeChat sends it again', '未能记录，微信会重发'],
  decidedLost: ['did not arrive', '未送达'],
  decidedWaiting: ['being looked at', '处理中'],
  decidedOther: ['{decision}', '{decision}'],
  said: ['We said {answer}', '我们的应答：{answer}'],
  saidNothing: ['We said nothing', '我们没有应答'],
  noticeArchived: ['In the archive beside the order', '已归档在订单旁'],
  noticeLogOnly: ['In the log only', '仅在日志中'],
  noticeMessage: ['What was verified', '验签后的内容'],
  noticeOpen: ['Show the message', '查看消息'],
  notifyUrl: ['WeChat was given {url}', '告知微信的通知地址：{url}'],
  notifyUrlNone: ['WeChat has not been given an address yet.', '尚未告知微信通知地址。'],
  silentUnpaid: [
    'Nothing came, and nothing is missing: the order is unpaid, and WeChat notifies payments only.',
    '没有收到通知，也没有缺失：订单未支付，而微信只通知成功的支付。',
  ],
  silentClosed: [
    'Nothing came, and nothing is missing: the order was closed unpaid.',
    '没有收到通知，也没有缺失：订单未支付即已关闭。',
  ],
  silentPaidThere: [
    "WeChat has the payment, but its notification has not arrived here. The client's question or reconcile finds it.",
    '微信侧已支付，但通知尚未送达。小程序查询或查单任务会发现这笔支付。',
  ],
  silentPaidHere: [
    "Paid, found by {by}: WeChat's notification did not arrive.",
    '已支付，由 {by} 发现：微信的通知没有送达。',
  ],
  silentUnknown: [
    'Nothing came, and the table has no such order.',
    '没有收到通知，表中也没有这个订单。',
  ],
  onlyRefused: [
    'What came was refused, and the order is unpaid here. WeChat sends a true one again.',
    '收到的通知均被拒绝，订单在本地仍未支付。真实的通知微信会重发。',
  ],
  onlyRefusedPaid: [
    'Paid, found by {by}: what WeChat sent was refused.',
    '已支付，由 {by} 发现：收到的通知均被拒绝。',
  ],
  noRow: [
    'The table has no order of this number. A genuine payment of it is kept apart and rings an alarm.',
    '表中没有这个单号的订单。对它的真实支付会单独保存并触发告警。',
  ],
} as const satisfies TextTable;
