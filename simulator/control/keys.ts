/** The part of the control API about WeChat Pay's own keys: switch-over, ramps, platform certificates. */
import { type Body, ControlError, readNumber } from './input.ts';
import { VERIFICATION_MODES, type WechatKeys } from '../book/wechat-keys.ts';
import type { Wechat } from '../wechat.ts';

const isShare = (share: number) => share >= 0 && share <= 1;
const SHARE_RULE = 'a number from 0 to 1';

function needKeys({ keys }: Wechat): WechatKeys {
  if (!keys) {
    const text = 'the simulator was started without the keys of API v3';
    throw new ControlError(409, 'NO_V3_KEYS', text);
  }
  return keys;
}

const describeVerification = ({ merchant }: Wechat, keys: WechatKeys) => ({
  mode: keys.mode(),
  notificationShare: keys.notificationShare(),
  publicKeyId: merchant.wechatpayPublicKeyId,
});

export const showVerification = (wechat: Wechat) => describeVerification(wechat, needKeys(wechat));

export function setVerification(wechat: Wechat, body: Body) {
  const keys = needKeys(wechat);
  const mode = VERIFICATION_MODES.find((one) => one === (body['mode'] ?? keys.mode()));
  if (mode === undefined) {
    const rule = `"mode" must be one of ${VERIFICATION_MODES.join(', ')}`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  const share =
    body['notificationShare'] === null
      ? null
      : readNumber(body, 'notificationShare', isShare, `${SHARE_RULE}, or null`);
  keys.setVerification(mode, share);
  return describeVerification(wechat, keys);
}

const describeCertificates = (keys: WechatKeys) => ({
  share: keys.certificateShare(),
  certificates: keys.certificates().map(({ serial, pem, effectiveAtMs, expiresAtMs }) => ({
    serialNo: serial,
    certificate: pem,
    effectiveAt: new Date(effectiveAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  })),
});

export const showCertificates = (wechat: Wechat) => describeCertificates(needKeys(wechat));

/** The first call issues the successor; `share` of the messages are signed by it. */
export async function rotateCertificate(wechat: Wechat, body: Body) {
  const keys = needKeys(wechat);
  const share = readNumber(body, 'share', isShare, SHARE_RULE);
  if (keys.certificates().length < 2) {
    await keys.issueCertificate();
  }
  keys.setCertificateShare(share ?? keys.certificateShare());
  return describeCertificates(keys);
}

/** It has expired: WeChat neither signs with it nor lists it. */
export function retireCertificate(wechat: Wechat, _: Body, serialNo: string) {
  const keys = needKeys(wechat);
  const certificates = keys.certificates();
  if (!certificates.some(({ serial }) => serial === serialNo)) {
    throw new ControlError(404, 'CERTIFICATE_NOT_FOUND', `no platform certificate ${serialNo}`);
  }
  if (certificates.length < 2) {
    throw new ControlError(409, 'LAST_CERTIFICATE', 'issue its successor first');
  }
  keys.retireCertificate(serialNo);
  return describeCertificates(keys);
}
