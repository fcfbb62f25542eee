/** The part of the control API that stands for the merchant console: keys, certificates, sub-merchants. */
import { X509Certificate } from 'node:crypto';
import type { AccountChanges } from '../book/account.ts';
import { type Body, ControlError, isAddress, readText, refuseUnknownFields } from './input.ts';
import { readBalance } from '../book/refund-rules.ts';
import type { SubMerchant } from '../book/credentials.ts';
import { randomText } from '../book/random.ts';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import { renewKeys } from '../notifications/notice.ts';
import type { Wechat } from '../wechat.ts';

const MAX_CERTIFICATES = 3;
export const MERCHANT_SETTINGS = [
  'apiV2Key',
  'apiV3Key',
  'merchantCertificate',
  'subMerchants',
  'refundNotifyUrl',
  'balanceFen',
  'feeRate',
  'pendingNotifications',
];

/** The merchant without its secrets. */
export function showMerchant({ merchant, account, refunds }: Wechat) {
  return {
    appid: merchant.appid,
    mchid: merchant.mchid,
    isServiceProvider: account.subMerchants().length > 0,
    subMerchants: account
      .subMerchants()
      .map(({ subMchid, subAppid }) => ({ subMchid, ...(subAppid ? { subAppid } : {}) })),
    refundNotifyUrl: account.refundNotifyUrl() ?? null,
    balanceFen: readBalance({ account, refunds }),
    feeRate: account.feeRate(),
    certificates: account.certificates().map(({ serialNo, pem, revoked }) => ({
      serialNo,
      revoked,
      expiresAt: new X509Certificate(pem).validToDate.toISOString(),
    })),
  };
}

/** A key is a value, or `true` for a new random one; the answer has what was made. */
export async function changeMerchant(wechat: Wechat, body: Body) {
  const { account, notifications, randomBytes } = wechat;
  const keys = {
    ...readKey(body, 'apiV2Key', randomBytes),
    ...readKey(body, 'apiV3Key', randomBytes),
  };
  const subMerchants = readSubMerchants(body['subMerchants'], randomBytes);
  const isUrl = (text: string) => text === '' || isAddress(text);
  const refundNotifyUrl = readText(body, 'refundNotifyUrl', isUrl, 'an http address, or empty');
  const isRate = (text: string) => /^\d{1,2}\.\d{2}%$/.test(text);
  const feeRate = readText(body, 'feeRate', isRate, 'a rate with two decimals, such as 0.60%');
  const isWhen = (text: string) => text === 'keep' || text === 'renew';
  const pending = readText(body, 'pendingNotifications', isWhen, 'keep or renew');
  const certificate = await readCertificate(wechat, body['merchantCertificate']);
  const changes: AccountChanges = {
    ...keys,
    ...(subMerchants ? { subMerchants } : {}),
    ...(refundNotifyUrl === undefined ? {} : { refundNotifyUrl }),
    ...readBalanceFen(body),
    ...(feeRate === undefined ? {} : { feeRate }),
  };
  account.change(changes);
  if (certificate) {
    account.addCertificate(certificate.merchantSerialNo, certificate.merchantCertificate);
  }
  if (pending === 'renew') {
    notifications.rewritePending((notice) => renewKeys(notice, wechat.merchant));
  }
  return { ...changes, ...certificate };
}

function readKey(
  body: Body,
  name: 'apiV2Key' | 'apiV3Key',
  randomBytes: RandomBytes,
): AccountChanges {
  const value = body[name];
  if (value === undefined) {
    return {};
  }
  const key = value === true ? randomText(randomBytes, 32) : value;
  if (typeof key !== 'string' || !/^[0-9A-Za-z]{32}$/.test(key)) {
    const rule = `"${name}" must be 32 letters and digits, or true for a new one`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  return { [name]: key };
}

/** What refunds can be paid from; null: no limit. */
function readBalanceFen({ balanceFen }: Body): AccountChanges {
  if (balanceFen === undefined) {
    return {};
  }
  if (balanceFen !== null && !(Number.isSafeInteger(balanceFen) && Number(balanceFen) >= 0)) {
    const rule = '"balanceFen" must be a whole number of fen, 0 or more, or null: no limit';
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  return { balanceFen: balanceFen === null ? null : Number(balanceFen) };
}

function readSubMerchants(value: unknown, randomBytes: RandomBytes): SubMerchant[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!Array.isArray(value)) {
    throw new ControlError(400, 'INVALID_FIELD', '"subMerchants" must be a list; empty: none');
  }
  return value.map((one: unknown) => readSubMerchant({ ...(one as Body) }, randomBytes));
}

function readSubMerchant(body: Body, randomBytes: RandomBytes): SubMerchant {
  refuseUnknownFields(body, ['subMchid', 'subAppid', 'subAppSecret']);
  const isDigits = (text: string) => /^\d{6,32}$/.test(text);
  const isWord = (text: string) => /^[0-9A-Za-z]{1,64}$/.test(text);
  const subMchid = readText(body, 'subMchid', isDigits, 'digits');
  const subAppid = readText(body, 'subAppid', isWord, 'letters and digits');
  const secret = readText(body, 'subAppSecret', isWord, 'letters and digits');
  if (subMchid === undefined) {
    throw new ControlError(400, 'MISSING_FIELD', '"subMchid" of a sub-merchant is needed');
  }
  return subAppid === undefined
    ? { subMchid }
    : {
        subMchid,
        subAppid,
        subAppSecret: secret ?? randomText(randomBytes, 32, '0123456789abcdef'),
      };
}

/** PEM text of a certificate that the merchant made, or `true` for a new pair. */
async function readCertificate({ merchant, account, createKey }: Wechat, value: unknown) {
  if (value === undefined) {
    return undefined;
  }
  if (account.certificates().filter(({ revoked }) => !revoked).length >= MAX_CERTIFICATES) {
    const text = `a merchant has at most ${MAX_CERTIFICATES} valid certificates: revoke one first`;
    throw new ControlError(409, 'TOO_MANY_CERTIFICATES', text);
  }
  if (value === true) {
    const { serialNo, pem, privateKey } = await createKey(merchant.mchid);
    return {
      merchantSerialNo: serialNo,
      merchantCertificate: pem,
      merchantPrivateKey: privateKey,
    };
  }
  try {
    const merchantCertificate = value as string;
    const merchantSerialNo = new X509Certificate(merchantCertificate).serialNumber;
    return { merchantSerialNo, merchantCertificate };
  } catch {
    const rule = '"merchantCertificate" must be a certificate in PEM, or true for a new pair';
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
}

export function revokeCertificate(wechat: Wechat, _: Body, serialNo: string) {
  const { account } = wechat;
  const valid = account.certificates().filter(({ revoked }) => !revoked);
  if (!valid.some((one) => one.serialNo === serialNo)) {
    throw new ControlError(404, 'CERTIFICATE_NOT_FOUND', `no valid certificate ${serialNo}`);
  }
  account.revokeCertificate(serialNo);
  return showMerchant(wechat);
}
