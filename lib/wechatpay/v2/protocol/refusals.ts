/**
 * What WeChat's refusals mean in API v2: by `err_code`, and by the text of `return_msg` where there
 * is no code, because WeChat did not come so far as to know whom it speaks to.
 *
 * Source: pay.weixin.qq.com/doc/v2/merchant/4011935214, and answers that merchants reported.
 */
import { ABOUT_THE_ORDER, LATER, type Meaning, OUR_REQUEST, OWNERS_FAULTS } from '../../remedy.ts';

const CODES: ReadonlyMap<string, Meaning> = new Map([
  ['ORDERPAID', ABOUT_THE_ORDER],
  ['ORDERCLOSED', ABOUT_THE_ORDER],
  ['ORDERREVERSED', ABOUT_THE_ORDER],
  ['ORDERNOTEXIST', ABOUT_THE_ORDER],
  ['TRADE_STATE_ERROR', ABOUT_THE_ORDER],
  ['USERPAYING', ABOUT_THE_ORDER],
  ['SYSTEMERROR', LATER],
  ['BIZERR_NEED_RETRY', LATER],
  ['BANKERROR', LATER],
  ['BANK_ERROR', LATER],
  ['FREQUENCY_LIMITED', LATER],
  ['RATELIMIT_EXCEEDED', LATER],
  ['INVALID_REQ_TOO_MUCH', LATER],
  ['SIGNERROR', OWNERS_FAULTS.apiV2Key],
  ['SIGN_ERROR', OWNERS_FAULTS.apiV2Key],
  ['NOAUTH', OWNERS_FAULTS.permission],
  ['NO_AUTH', OWNERS_FAULTS.permission],
  ['APPID_NOT_EXIST', OWNERS_FAULTS.appid],
  ['MCHID_NOT_EXIST', OWNERS_FAULTS.mchid],
  ['APPID_MCHID_NOT_MATCH', OWNERS_FAULTS.binding],
  ['INVALID_REQUEST', OUR_REQUEST],
  ['PARAM_ERROR', OUR_REQUEST],
  ['LACK_PARAMS', OUR_REQUEST],
  ['OUT_TRADE_NO_USED', OUR_REQUEST],
  ['NOTENOUGH', OUR_REQUEST],
  ['XML_FORMAT_ERROR', OUR_REQUEST],
  ['REQUIRE_POST_METHOD', OUR_REQUEST],
  ['POST_DATA_EMPTY', OUR_REQUEST],
  ['NOT_UTF8', OUR_REQUEST],
]);

/** The first that fits counts: what names a thing stands before what names its kind. */
const TEXTS: readonly (readonly [RegExp, Meaning])[] = [
  [/time_?expire/, OUR_REQUEST],
  [
    /签名|验签|\bsign(ature)?[ _]?(is )?(error|err|invalid|fail|wrong|not match)/,
    OWNERS_FAULTS.apiV2Key,
  ],
  [/(invalid|wrong|error) sign/, OWNERS_FAULTS.apiV2Key],
  [/频率|频繁|frequen|rate ?limit|too many|too much|请求过多|(请求|调用|次数)[^额]*超限/, LATER],
  [
    /系统(繁忙|错误|异常|超时|维护)|system ?(is )?(busy|error)|稍后|try again|later|超时|time ?d? ?out/,
    LATER,
  ],
  [/用户.*([帐账][号户]|余额|额度|限额|超限)|余额不足/, OUR_REQUEST],
  [/订单号.*(重复|格式|长度|有误|错误)|out_trade_no/, OUR_REQUEST],
  [/订单|交易已?(关闭|撤销|支付)|\border (is|has|not)\b/, ABOUT_THE_ORDER],
  // For a merchant without sub-merchants, too.
  [/mch_?id *(或|or|\/) *sub_mch_?id/, OWNERS_FAULTS.mchid],
  [/sub_?(mch_?id|appid)|特约商户|子商户|受理机构|受理关系/, OWNERS_FAULTS.subMerchant],
  [/openid.*(不匹配|不一致|not match|mismatch)|(不匹配|not match).*openid/, OWNERS_FAULTS.openid],
  [/(无效|invalid).*openid|openid.*(无效|invalid)/, OWNERS_FAULTS.openid],
  [
    /appid.*(mch_?id|商户号?).*(不匹配|不一致|未绑定|没有绑定|not match|mismatch|not bound)/,
    OWNERS_FAULTS.binding,
  ],
  [
    /(mch_?id|商户号?).*appid.*(不匹配|不一致|未绑定|没有绑定|not match|mismatch|not bound)/,
    OWNERS_FAULTS.binding,
  ],
  [
    /appid.*(未绑定|没有绑定|未关联|not bound)|(未绑定|没有绑定|未关联).*appid/,
    OWNERS_FAULTS.binding,
  ],
  [/appid.*(不存在|无效|不正确|有误|错误|not exist|invalid)|invalid appid/, OWNERS_FAULTS.appid],
  [/权限|未开通|未授权|permission|no ?auth|unauthori[sz]ed/, OWNERS_FAULTS.permission],
  [/异常ip|\bip\b.*(白名单|不在|未授权|不允许|异常|not allowed)/, OWNERS_FAULTS.address],
  [
    /(商户|商家|[帐账]户|[帐账]号|收款|交易).*(冻结|停用|禁用|受限|限制|限额|超限|注销|关闭|违规|异常)/,
    OWNERS_FAULTS.restricted,
  ],
  [
    /(mch_?id|商户号?).*(不存在|无效|不正确|有误|错误|not exist|invalid)|invalid mch_?id/,
    OWNERS_FAULTS.mchid,
  ],
  [
    /缺少参数|参数.*(错误|有误|为空|不正确)|格式错误|必填|必须传|不能为空|不合法|required|lack|missing|param|post|utf-?8|xml/,
    OUR_REQUEST,
  ],
];

/** What an `err_code` means; nothing for one that is not known. */
export const meaningOfCode = (code: string): Meaning | undefined => CODES.get(code);

/**
 * What the text of an answer without a code means; nothing for one that is not known. Such an
 * answer has no signature, so it names a fault of ours at most, and nothing about an order.
 */
export function meaningOfText(text: string): Meaning | undefined {
  const inLowerCase = text.toLowerCase();
  return TEXTS.find(([pattern]) => pattern.test(inLowerCase))?.[1];
}
