/** Chinese for words that are English in the messages themselves. */

/** Words that come from the messages themselves; what is not here (codes, states) stays as it is. */
export const RESULTS: Readonly<Record<string, string>> = {
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
  taken: '已接收',
  'taken again': '再次接收',
  away: '不可用',
  'no answer': '没有应答',
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

/** What the simulator calls a key. */
export const KEYS: Readonly<Record<string, string>> = {
  'WeChat Pay public key': '微信支付公钥',
  'platform certificate': '微信支付平台证书',
  "public key of the merchant's API certificate": '商户 API 证书的公钥',
};
