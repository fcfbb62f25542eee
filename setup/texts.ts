/** What setup says, in both languages. What is wrong with a key is said in the words of its readers. */
export type Language = 'en' | 'zh';

const TEXTS = {
  title: ['WeChat Pay: settings and secrets of a stage', '微信支付：配置一个阶段的设置与机密'],
  stage: ['Stage', '阶段（stage）'],
  region: ['AWS Region', 'AWS 区域'],
  apiVersion: ["Version of WeChat Pay's API for new orders", '新订单使用的微信支付 API 版本'],
  appid: ['AppID of the mini-program', '小程序 AppID'],
  appSecret: ['AppSecret of the mini-program', '小程序 AppSecret（小程序密钥）'],
  mchid: ['Merchant number', '商户号'],
  subMchid: [
    'Sub-merchant number (service providers only; else empty)',
    '特约商户号（仅服务商填写，否则留空）',
  ],
  apiV2Key: ['APIv2 key (32 characters)', 'APIv2密钥（32 个字符）'],
  apiV3Key: ['APIv3 key (32 characters)', 'APIv3密钥（32 个字符）'],
  certificateFolder: [
    'Folder with apiclient_key.pem, apiclient_cert.pem, pub_key.pem (empty: none)',
    '存放 apiclient_key.pem、apiclient_cert.pem、pub_key.pem 的文件夹（没有则留空）',
  ],
  wechatpayPublicKeyId: [
    "Id of WeChat Pay's public key, PUB_KEY_ID_… (empty: none)",
    '微信支付公钥ID，PUB_KEY_ID_…（没有则留空）',
  ],
  domainName: ['Your domain for the API (empty: later)', 'API 的自有域名（可稍后再填）'],
  certificateArn: ['ARN of its certificate in this region', '该域名在此区域的证书 ARN'],
  alarmEmail: [
    'Who gets the mails of alarms (empty: nobody)',
    '接收告警邮件的地址（留空则无人接收）',
  ],
  kept: ['empty: what is stored stays', '留空则保留已存的值'],
  wrong: ['This cannot work, and nothing was sent:', '以下内容无法使用，没有发送任何东西：'],
  again: ['Answer again?', '重新填写？'],
  right: ['Checked, and nothing was sent so far', '检查通过，尚未发送任何东西'],
  send: ['Write the two secrets and the settings?', '写入两个机密和设置？'],
  cancelled: ['Cancelled. Nothing was sent.', '已取消，没有发送任何东西。'],
  checked: ['Only checked. Nothing was sent.', '仅检查，没有发送任何东西。'],
  written: ['Written:', '已写入：'],
  next: ['Now deploy:', '接下来部署：'],
  newVersion: ['new version', '新版本'],
  created: ['created', '已创建'],
  terminal: [
    'There is no terminal to ask in: give --file with the answers, and --yes',
    '没有可供提问的终端：请用 --file 给出答案并加 --yes',
  ],
  daysLeft: ['days left', '天后到期'],
} as const satisfies Record<string, readonly [string, string]>;

export type TextName = keyof typeof TEXTS;

export type Say = (name: TextName) => string;

export const sayIn =
  (language: Language): Say =>
  (name) =>
    TEXTS[name][language === 'zh' ? 1 : 0];
