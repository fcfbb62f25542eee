/**
 * The trade bill: `/pay/downloadbill`. A bill comes as it is, without a signature, and so does a
 * refusal, in XML and also with status 200.
 *
 * Source: pay.weixin.qq.com/doc/v2/merchant/4011985040.
 */
import { WechatPayMalformedMessageError, WechatPayServiceError } from '../../errors.ts';
import {
  answerFileOf,
  type BillFile,
  type BillReference,
  readBillFile,
  type TradeBillResult,
} from '../bill-file.ts';
import type { Bills, CallOptions } from '../operations.ts';
import { forTheLog } from '../remedy.ts';
import { referenceFields } from './party-fields.ts';
import {
  sendSigned,
  unsigned,
  type Unsigned,
  type V2Client,
  withNewerKey,
} from './protocol/call.ts';
import { parseXml } from './protocol/xml.ts';

/** The bills of API v2. */
export function openBills(client: V2Client): Bills {
  return {
    async downloadTradeBill(bill, file, options) {
      const compressed = await download(client, bill, file, options, { tar_type: 'GZIP' });
      return compressed ?? (await download(client, bill, file, options, {})) ?? cannotCompress;
    },
  };
}

const cannotCompress = { kind: 'not-ready', reason: 'CompressGZip Error' } as const;

type Came =
  | { readonly ok: true; readonly beginning: Buffer }
  | { readonly ok: false; readonly text: string };

/** Nothing when WeChat could not compress it. */
async function download(
  client: V2Client,
  bill: BillReference,
  file: BillFile,
  options: CallOptions,
  form: Readonly<Record<string, string>>,
): Promise<TradeBillResult | undefined> {
  const fields = {
    ...referenceFields(client, bill),
    bill_date: bill.date.replaceAll('-', ''),
    bill_type: 'ALL',
    ...form,
  };
  // Asked as often as one likes: nothing changes by it.
  const sending = { ...options, repeatable: true };
  try {
    const came = await withNewerKey(client, fields, sending, (key, remainingMs) =>
      attempt(client, fields, key, file, remainingMs()),
    );
    return came.ok ? await readBillFile(file, came.beginning) : judge(came.text);
  } catch (error) {
    if (error instanceof WechatPayServiceError && error.retryable) {
      return { kind: 'not-ready', reason: error.message };
    }
    throw error;
  }
}

/** What WeChat says about the bill, and not about us. */
const ABOUT_THE_BILL = /^(no bill exist|bill creating|(un)?compressgzip error)/i;

async function attempt(
  client: V2Client,
  fields: Readonly<Record<string, string>>,
  key: string,
  file: BillFile,
  timeoutMs: number,
): Promise<Came | Unsigned> {
  const { body, savedBytes = 0 } = await sendSigned(client, '/pay/downloadbill', fields, key, {
    timeoutMs,
    repeatable: true,
    saveTo: answerFileOf(file),
  });
  if (savedBytes === 0) {
    throw new WechatPayMalformedMessageError('the bill is an empty answer');
  }
  if (!/^\s*<xml/i.test(body.subarray(0, 64).toString())) {
    return { ok: true, beginning: body };
  }
  const answer = parseXml(body);
  const text = forTheLog(answer.get('return_msg') ?? '');
  return ABOUT_THE_BILL.test(text) ? { ok: false, text } : unsigned(answer);
}

function judge(text: string): TradeBillResult | undefined {
  if (/^no bill/i.test(text)) {
    return { kind: 'empty' };
  }
  return /gzip/i.test(text) ? undefined : { kind: 'not-ready', reason: text };
}
