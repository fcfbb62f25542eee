/** What faults do to messages of API v3: altered after signing, or signed correctly over something wrong. */
import type { Fault, TamperPart } from '../host/faults.ts';
import { encryptResource, type OpenNotification } from './resource.ts';

const swap = (character: string) => (character === '0' ? '1' : '0');

/** Another last digit or letter. */
export const alterTail = (text: string) => text.slice(0, -1) + swap(text.slice(-1));
/** Another first one: in Base64 the last may carry no bits. */
export const alterHead = (text: string) => swap(text.charAt(0)) + text.slice(1);

export interface ForgedBody {
  readonly signed: string;
  readonly sent: string;
  readonly resource: Record<string, unknown>;
  readonly part: TamperPart | undefined;
}

/** `honest` is the body without a fault. */
export function alterResource(
  notice: OpenNotification,
  honest: string,
  fault: Fault | undefined,
): ForgedBody {
  const { resource } = notice;
  const untouched = { signed: honest, sent: honest, resource, part: undefined };
  switch (fault?.kind) {
    case 'wrong-amount':
    case 'wrong-merchant': {
      const alter = fault.kind === 'wrong-amount' ? alterAmountV3 : alterMerchantV3;
      const wrong = alter(resource);
      const body = encryptResource({ ...notice, resource: wrong });
      return { ...untouched, signed: body, sent: body, resource: wrong };
    }
    case 'tamper':
      return tamperNotification(untouched, fault.part ?? 'body');
    default:
      return untouched;
  }
}

/**
 * `body` is altered after signing. `ciphertext` and `tag` are altered before: the signature is right, and
 * only the authentication tag of AES-GCM gives them away. `signature` is the header's.
 */
function tamperNotification(honest: ForgedBody, part: TamperPart): ForgedBody {
  if (part === 'signature') {
    return { ...honest, part };
  }
  const message = JSON.parse(honest.signed) as { resource: { ciphertext: string } };
  const bytes = Buffer.from(message.resource.ciphertext, 'base64');
  const at = part === 'tag' ? bytes.length - 1 : Math.floor((bytes.length - 16) / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  message.resource.ciphertext = bytes.toString('base64');
  const altered = JSON.stringify(message);
  return { ...honest, part, signed: part === 'body' ? honest.signed : altered, sent: altered };
}

type Json = Readonly<Record<string, unknown>>;

const asObject = (value: unknown) => (typeof value === 'object' && value !== null ? value : {});

/** One fen more than was paid or given back. */
export function alterAmountV3(transaction: Json): Json {
  const amount = asObject(transaction['amount']) as Record<string, number>;
  const { total = 0, payer_total: payerTotal, refund } = amount;
  return {
    ...transaction,
    amount: {
      ...amount,
      ...(payerTotal === undefined ? {} : { payer_total: payerTotal + 1 }),
      ...(refund === undefined ? {} : { refund: refund + 1 }),
      total: total + 1,
    },
  };
}

/** The transaction of another merchant. */
export function alterMerchantV3(transaction: Json): Json {
  const altered = ['appid', 'mchid', 'sp_appid', 'sp_mchid', 'sub_mchid']
    .filter((name) => typeof transaction[name] === 'string')
    .map((name) => [name, alterTail(String(transaction[name]))]);
  return { ...transaction, ...Object.fromEntries(altered) };
}

/** One meaningful field of an answer, the signature as it was. */
export function tamperAnswer(answer: Json): Json {
  if (answer['trade_state'] === 'NOTPAY') {
    return { ...answer, trade_state: 'SUCCESS', trade_state_desc: '支付成功' };
  }
  if (answer['status'] === 'PROCESSING') {
    return { ...answer, status: 'SUCCESS' };
  }
  if (answer['amount'] !== undefined) {
    return alterAmountV3(answer);
  }
  const name = ['prepay_id', 'code_url', 'hash_value', 'code', 'serial_no'].find(
    (one) => one in answer,
  );
  return name === undefined
    ? { ...answer, altered: 'true' }
    : { ...answer, [name]: alterTail(String(answer[name])) };
}
