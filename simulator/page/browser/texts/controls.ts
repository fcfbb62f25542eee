/** Texts of the page's head, the phone, the faults and the clock. */
import type { TextTable } from './table.ts';

export const CONTROL_TEXTS = {
  title: ['WeChat Pay on your machine', '在本机体验微信支付'],
  tagline: [
    'The real client, your real functions, a simulated WeChat. No money moves.',
    '真实的小程序代码与 Lambda 函数，模拟的微信支付，不产生真实交易。',
  ],
  language: ['中文', 'English'],
  theme: ['Theme', '主题'],
  themeAuto: ['Auto', '自动'],
  themeLight: ['Light', '浅色'],
  themeDark: ['Dark', '深色'],
  stackTime: ['Stack clock', '模拟时钟'],
  ahead: ['{time} ahead', '快 {time}'],
  skipToMessages: ['Skip to the messages', '跳到消息'],

  buyer: ['Buyer', '买家'],
  otherBuyer: ['Other…', '其他…'],
  buyerName: ['Name of the buyer', '买家名字'],
  use: ['Use', '使用'],
  phone: ['Phone of {buyer}', '{buyer} 的手机'],
  restartApp: ['Restart app', '重启小程序'],
  networkOn: ['Network on', '网络正常'],
  networkOff: ['Network off', '网络断开'],
  leaveApp: ['Leave app', '切到后台'],
  returnApp: ['Return to app', '回到小程序'],

  faults: ['What should go wrong?', '让什么出错？'],
  faultsHint: [
    'Choose a fault, then pay. It strikes once, or every time.',
    '先选择故障，再支付。可以只发生一次，也可以每次都发生。',
  ],
  everyTime: ['Every time', '每次都发生'],
  groupNotify: ['Notification', '支付通知'],
  groupCalls: ['Calls to WeChat', '调用微信'],
  groupOrder: ['This order', '当前订单'],
  groupTime: ['Time', '时间'],
  notifyLost: ['Lost', '丢失'],
  notifyLostHelp: [
    "WeChat's message never arrives. The client's own question, reconcile or WeChat's next try finds the payment.",
    '通知没有送达。小程序查询、查单任务或微信重发都能补上这笔支付。',
  ],
  notifyLate: ['Late 30 s', '延迟 30 秒'],
  notifyLateHelp: [
    'The message comes half a minute later, when the order is long settled: it is a duplicate then.',
    '通知晚 30 秒到达，那时订单已确认，只是一条重复通知。',
  ],
  notifyTwice: ['Twice at once', '同时两次'],
  notifyTwiceHelp: [
    'Two copies at the same moment. One conditional write wins, the other changes nothing; both are acknowledged.',
    '两条相同通知同时到达。条件写入只成功一次，另一条不产生变化，两条都应答成功。',
  ],
  notifyTamper: ['Tampered', '被篡改'],
  notifyTamperHelp: [
    'The amount is altered after signing. Your API refuses it with 401; WeChat sends the true one later.',
    '签名后金额被改动。接口以 401 拒绝，微信稍后重发正确的通知。',
  ],
  notifyAmount: ['Wrong amount', '金额不符'],
  notifyAmountHelp: [
    'One fen more than ordered, signed correctly. The order stays unpaid by it and an alarm is raised.',
    '签名正确但多一分钱。订单不会因此变为已支付，并发出告警。',
  ],
  notifyReorder: ['Out of order', '乱序'],
  notifyReorderHelp: [
    'A later message overtakes this one. Order of arrival does not matter to a conditional write.',
    '后面的通知先到。条件写入不依赖到达顺序。',
  ],
  notifyAck: ['Answer lost', '应答丢失'],
  notifyAckHelp: [
    "Your API's acknowledgement gets lost, so WeChat sends the message again.",
    '接口的应答丢失，微信会再次发送。',
  ],
  orderBefore: ['Order: time-out before', '下单：生效前超时'],
  orderBeforeHelp: [
    'WeChat never sees the order and never answers. After 8 s the client repeats it under the same key.',
    '微信没有收到下单，也不应答。8 秒后小程序用同一个幂等键重试。',
  ],
  orderAfter: ['Order: time-out after', '下单：生效后超时'],
  orderAfterHelp: [
    'WeChat makes the order, but the answer is lost. The repeat is identical, so it is the same order.',
    '微信已建单但应答丢失。重试内容完全一致，得到的是同一个订单。',
  ],
  queryTamper: ['Query: forged answer', '查询：应答被篡改'],
  queryTamperHelp: [
    "WeChat's answer is altered on its way. Its signature is checked too, so it proves nothing.",
    '查询应答在途中被改动。应答同样验签，因此不被采信。',
  ],
  hostDown: ['Main host down', '主域名不可用'],
  hostDownHelp: [
    "The main host cuts one connection; the call goes to the backup host. A login's code is good once, so the first login fails with 503; the phone may repeat it.",
    '主域名断开一次连接，请求改走备用域名。登录凭证 code 只能用一次，因此首次登录会失败（503），可重新登录。',
  ],
  expire: ['Expire', '使其过期'],
  expireHelp: [
    "Moves the clock past the order's end. Reconcile closes it at WeChat and in the table.",
    '把时钟拨到订单失效之后，查单任务会在微信侧和表中关闭订单。',
  ],
  payAfterClose: ['Pay after close', '关闭后支付'],
  payAfterCloseHelp: [
    'Closes the order, then a payment that was already under way goes through. It is recorded and flagged, never dropped.',
    '先关闭订单，随后一笔进行中的支付成功。这笔钱会被记录并标记，不会丢弃。',
  ],
  needsOpenOrder: [
    'Place an order in the phone first, and leave it unpaid.',
    '请先在手机上下单且不支付。',
  ],
  reconcileNow: ['Run reconcile now', '立即查单'],
  reconcileHelp: [
    'Asks WeChat about every open order that is due, repairs and closes. It also runs by itself every minute.',
    '向微信查询所有到期的未支付订单并修复或关闭。平时每分钟自动执行。',
  ],
  advance: ['+{time}', '+{time}'],
  advanceHelp: [
    "Moves the clock of all parts; WeChat's retries and the schedule follow.",
    '同时拨快所有部分的时钟，微信重发与定时任务随之进行。',
  ],
  seconds: ['{n} s', '{n} 秒'],
  minutes: ['{n} min', '{n} 分钟'],
  hours: ['{n} h', '{n} 小时'],
  days: ['{n} d', '{n} 天'],
} as const satisfies TextTable;
