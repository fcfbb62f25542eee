/** Every text of the page in both languages. */

const TEXTS = {
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

  messages: ['Messages', '消息'],
  messagesHint: [
    'Choose one to see what it contains and how it was checked.',
    '点击任意一条查看内容与校验过程。',
  ],
  clear: ['Clear', '清空'],
  onlyThisOrder: ['This order only', '只看当前订单'],
  noMessages: ['Nothing yet. Buy something in the phone.', '暂无消息，请在手机上购买商品。'],
  mini: ['Mini-program', '小程序'],
  api: ['Your API', '你的接口'],
  table: ['Table', '数据表'],
  wechat: ['WeChat Pay', '微信支付'],
  answer: ['answer', '应答'],
  outcomeOk: ['ok', '成功'],
  outcomeRefused: ['refused', '被拒绝'],
  outcomeFailed: ['failed', '失败'],
  outcomePending: ['waiting', '等待中'],
  schedule: ['schedule', '定时任务'],
  byHand: ['by hand', '手动'],
  disconnected: [
    'No answer from the local stack. Start everything with: npm start',
    '本地环境没有应答。请运行 npm start 启动全部服务。',
  ],

  message: ['Message', '消息'],
  order: ['Order', '订单'],
  chooseMessage: ['Choose a message in the diagram.', '请在图中选择一条消息。'],
  took: ['{n} ms', '{n} 毫秒'],
  faultStruck: ['Fault: {kind}', '故障：{kind}'],
  request: ['Request', '请求'],
  response: ['Answer', '应答'],
  noResponse: ['No answer came.', '没有收到应答。'],
  headers: ['Headers', 'HTTP 头'],
  emptyBody: ['No body', '无内容'],
  functionLog: ['What your function logged', 'Lambda 函数日志'],
  signature: ['Signature', '签名'],
  signatureOfAnswer: ["Signature of WeChat's answer", '微信应答的签名'],
  signatureValid: ['The signature is right.', '签名正确。'],
  signatureInvalid: ['The signature is wrong.', '签名错误。'],
  signatureOwn: ['Signed by WeChat.', '由微信签名。'],
  signatureTampered: [
    'The signature is wrong: a field was altered after WeChat signed the message.',
    '签名错误：微信签名后，有字段被改动。',
  ],
  signatureAltered: [
    'Altered after WeChat signed it: {fields}.',
    '微信签名后内容被改动：{fields}。',
  ],
  checkedAccepted: ['Your API checked it and accepted it.', '你的接口验签通过。'],
  checkedRefused: ['Your API checked it and refused it: {reason}', '你的接口验签后拒绝：{reason}'],
  notReached: ['It never reached your API.', '未送达你的接口。'],
  step1: ['Take every field but the signature and empty ones', '取除签名与空值外的所有字段'],
  step2: ['Sort them by name, byte by byte, and join with &', '按字段名字节序排序，用 & 连接'],
  step3: ['Add the APIv2 key at the end (masked here)', '末尾加上 APIv2 密钥（此处已隐藏）'],
  step4: ['{algorithm}, as capital hexadecimal digits', '{algorithm}，十六进制大写'],
  step5: ['Compare with what the message carries', '与消息中的签名比较'],
  fieldsCount: ['{n} fields', '{n} 个字段'],
  calculated: ['calculated', '计算值'],
  carried: ['carried', '携带值'],
  linesCount: ['{n} lines', '{n} 行'],
  checks: ['What WeChat checked, in order', '微信支付依次校验的内容'],
  verifiedBy: ['key', '密钥'],
  serial: ['serial', '序列号'],
  lineMethod: ['method', '请求方法'],
  lineAddress: ['address', 'URL'],
  lineTimestamp: ['timestamp', '时间戳'],
  lineNonce: ['nonce', '随机串'],
  lineBody: ['body', '报文主体'],
  rsaStep1: [
    'Write these lines, each with a line feed at its end, the last one too',
    '按顺序逐行写出，每一行（包括最后一行）都以换行符结尾',
  ],
  rsaStep2: [
    "Sign the SHA-256 of it with the sender's private RSA key (PKCS#1 v1.5), as Base64",
    '发送方用 RSA 私钥对其 SHA-256 摘要签名（PKCS#1 v1.5），再做 Base64 编码',
  ],
  rsaStep3: [
    'The receiver verifies what the message carries with the public key that the serial names',
    '接收方用序列号对应的公钥校验消息携带的签名',
  ],
  onlyWithPrivateKey: ["Only the merchant's private key can make it.", '只有商户私钥才能得出。'],
  fits: ['it fits', '相符'],
  fitsNot: ['it does not fit', '不相符'],
  plaintext: ['What the notification says', '通知的明文'],
  plaintextHelp: [
    'Decrypted with the APIv3 key: AEAD_AES_256_GCM.',
    '用 APIv3 密钥解密（AEAD_AES_256_GCM）后的内容。',
  ],
  same: ['equal', '一致'],
  different: ['different', '不一致'],
  missing: ['missing', '缺失'],

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
  historyChecked: ['WeChat asked: still unpaid', '已查询微信：仍未支付'],
  historyMismatch: ['Contradiction recorded', '记录了不符的消息'],
  condition: ['Condition of the write', '写入条件'],
  historyOther: ['Changed', '已更改'],
  deliveries: ["WeChat's notifications", '微信通知'],
  noDeliveries: ['None: WeChat notifies only payments.', '无：微信只通知成功的支付。'],
  nextTry: ['next try {time}', '下次 {time}'],
  attempt: ['try {n}', '第 {n} 次'],
} as const satisfies Record<string, readonly [en: string, zh: string]>;

/** Words that come from the messages themselves; what is not here (codes, states) stays as it is. */
const RESULTS: Readonly<Record<string, string>> = {
  ok: '成功',
  read: '已读取',
  written: '已写入',
  found: '已找到',
  none: '无',
  'condition not met': '条件不符',
  'nothing due': '无到期订单',
  forged: '伪造',
  lost: '丢失',
  late: '延迟',
  acknowledged: '已确认',
  'acknowledgement lost': '应答丢失',
  refused: '被拒绝',
  'bad answer': '应答无效',
  timeout: '超时',
  'connection failed': '连接失败',
  cut: '连接中断',
  'timeout-before': '生效前超时',
  'timeout-after': '生效后超时',
  drop: '连接中断',
  down: '不可用',
  tamper: '篡改',
  duplicate: '重复',
  reorder: '乱序',
  'wrong-amount': '金额不符',
  'wrong-merchant': '商户不符',
  probe: '签名探测',
};

const KEYS: Readonly<Record<string, string>> = {
  'WeChat Pay public key': '微信支付公钥',
  'platform certificate': '微信支付平台证书',
  "public key of the merchant's API certificate": '商户 API 证书的公钥',
};

/** What a key is, in the language of the page. */
export const keyText = (keyName: string) =>
  language === 'zh' ? (KEYS[keyName] ?? keyName) : keyName;

/** An outcome or fault in the language of the page; a status after it stays. */
export function resultText(result: string): string {
  const [, words = result, status = ''] = /^(.*?)( \d{3})?$/.exec(result) ?? [];
  const chinese = language === 'zh' ? RESULTS[words] : undefined;
  return chinese === undefined ? result : chinese + status;
}

export type TextName = keyof typeof TEXTS;
export type Language = 'en' | 'zh';

let language: Language = 'en';

export const currentLanguage = () => language;

export function setLanguage(chosen: Language): void {
  language = chosen;
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
}

/** The text, with `{name}` replaced. */
export function text(
  name: TextName,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return TEXTS[name][language === 'zh' ? 1 : 0].replaceAll(/\{(\w+)\}/g, (whole, key: string) =>
    String(values[key] ?? whole),
  );
}

/** Fills `data-text` and `data-label` of the page's own HTML. */
export function translatePage(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = text(element.dataset['text'] as TextName);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    element.setAttribute('aria-label', text(element.dataset['label'] as TextName));
  }
}

/** `30 s`, `5 min`, `2 h`, `1 d` */
export function duration(seconds: number): string {
  if (seconds < 60) {
    return text('seconds', { n: seconds });
  }
  if (seconds < 3600) {
    return text('minutes', { n: Math.round(seconds / 60) });
  }
  return seconds < 172_800
    ? text('hours', { n: Math.round(seconds / 360) / 10 })
    : text('days', { n: Math.round(seconds / 86_400) });
}

export const clockTime = (iso: string) =>
  new Date(iso).toLocaleTimeString(language === 'zh' ? 'zh-CN' : 'en-GB', { hour12: false });
