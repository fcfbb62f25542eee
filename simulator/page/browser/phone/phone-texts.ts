/** What WeChat itself says on the phone, in its two languages. */

const TEXTS = {
  back: ['返回', 'Back'],
  ok: ['确定', 'OK'],
  cancel: ['取消', 'Cancel'],
  loading: ['加载中', 'Loading'],
  payTitle: ['请输入支付密码', 'Enter payment password'],
  anyDigits: ['模拟支付：任意六位数字', 'Simulated: any six digits'],
  payTo: ['付款给', 'Pay to'],
  method: ['付款方式', 'Payment method'],
  balance: ['零钱', 'Balance'],
  close: ['关闭，取消支付', 'Close and cancel the payment'],
  paying: ['支付中', 'Paying'],
  paid: ['支付成功', 'Payment successful'],
  done: ['完成', 'Done'],
  merchant: ['商户', 'Merchant'],
  deleteDigit: ['删除', 'Delete'],
  digits: ['已输入 {n} 位', '{n} of 6 digits entered'],
  noApp: ['小程序尚未准备好', 'The mini-program is not here'],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

const isChinese = () => document.documentElement.lang.startsWith('zh');

export function phoneText(name: keyof typeof TEXTS): string {
  return TEXTS[name][isChinese() ? 0 : 1];
}
