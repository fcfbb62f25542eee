/** The part of the control API that makes WeChat misbehave. */
import { CODE2SESSION_ERRCODES } from '../weixin/code2session.ts';
import { type Body, ControlError, readNumber, readText } from './input.ts';
import { BILL_ERROR_NAMES, findBillError } from '../host/bill-error-names.ts';
import { type FaultWish, TAMPER_PARTS, type TamperPart } from '../host/faults.ts';
import { ERROR_CODES, isErrorCode } from '../v2/errors.ts';
import { isV3ErrorCode, V3_ERROR_CODES } from '../v3/errors.ts';
import type { Wechat } from '../wechat.ts';

export function listFaults({ faults }: Wechat) {
  return { faults: faults.list() };
}

export function addFault({ faults }: Wechat, body: Body) {
  const { point, kind } = body;
  if (typeof point !== 'string' || typeof kind !== 'string') {
    throw new ControlError(400, 'MISSING_FIELD', '"point" and "kind" are needed');
  }
  const wish: FaultWish = { point, kind };
  const rate = readNumber(body, 'rate', (n) => n >= 0 && n <= 1, 'a number from 0 to 1');
  const times = readNumber(
    body,
    'times',
    (n) => Number.isSafeInteger(n) && n > 0,
    'a whole number above 0',
  );
  const seconds = readNumber(body, 'seconds', (n) => n >= 0 && n <= 1e9, 'a number of seconds');
  const code = readFaultCode(point, kind, body['code']);
  const part = readPart(point, kind, body['part']);
  const status = readStatus(kind, body);
  const fault = faults.add({
    ...wish,
    ...(rate === undefined ? {} : { rate }),
    ...(times === undefined ? {} : { times }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(code === undefined ? {} : { code }),
    ...(part === undefined ? {} : { part }),
    ...(status === undefined ? {} : { status }),
    ...readErrorForm(point, kind, body),
  });
  return { id: fault.id };
}

function readPart(point: string, kind: string, part: unknown): TamperPart | undefined {
  const known = TAMPER_PARTS.find((one) => one === part);
  if (part !== undefined && (known === undefined || point !== 'notify' || kind !== 'tamper')) {
    const rule = `"part" belongs to "tamper" at notify and is one of ${TAMPER_PARTS.join(', ')}`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  return known;
}

function readStatus(kind: string, body: Body): number | undefined {
  if (body['status'] !== undefined && kind !== 'html') {
    throw new ControlError(400, 'INVALID_FIELD', '"status" belongs to the kind "html" only');
  }
  const isStatus = (status: number) => Number.isInteger(status) && status >= 200 && status < 600;
  return readNumber(body, 'status', isStatus, 'an HTTP status from 200 to 599');
}

/** Beside its code, an error has a text, a `detail` of any form in v3, and a signature or none. */
function readErrorForm(
  point: string,
  kind: string,
  body: Body,
): Pick<FaultWish, 'signed' | 'text' | 'detail'> {
  const given = ['signed', 'text', 'detail'].filter((name) => body[name] !== undefined);
  const alone = given.find((name) => name !== 'text');
  if (given.length > 0 && kind !== 'error') {
    throw new ControlError(400, 'INVALID_FIELD', `"${given[0]}" belongs to the kind "error" only`);
  }
  if (alone !== undefined && point === 'code2session') {
    const rule = `"${alone}" is not possible at code2session: its answers have no signature and no detail`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  const { signed, detail } = body;
  if (signed !== undefined && typeof signed !== 'boolean') {
    throw new ControlError(400, 'INVALID_FIELD', '"signed" must be true or false');
  }
  const isShort = (text: string) => text.length <= 256;
  const text = readText(body, 'text', isShort, 'a text of up to 256 characters');
  return {
    ...(signed === undefined ? {} : { signed }),
    ...(text === undefined ? {} : { text }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function readFaultCode(point: string, kind: string, code: unknown): string | undefined {
  if (code === undefined) {
    return undefined;
  }
  if (kind !== 'error') {
    throw new ControlError(400, 'INVALID_FIELD', '"code" belongs to the kind "error" only');
  }
  const text = typeof code === 'number' ? code.toString() : code;
  if (typeof text !== 'string') {
    throw new ControlError(400, 'INVALID_FIELD', '"code" must be a string or a number');
  }
  const known =
    point === 'code2session'
      ? CODE2SESSION_ERRCODES.includes(Number(text))
      : isErrorCode(text) || isV3ErrorCode(text) || (isAboutBills(point) && isBillError(text));
  if (!known) {
    const list =
      point === 'code2session'
        ? CODE2SESSION_ERRCODES
        : new Set([
            ...(isAboutBills(point) ? BILL_ERROR_NAMES : []),
            ...ERROR_CODES,
            ...V3_ERROR_CODES,
          ]);
    throw new ControlError(
      400,
      'UNKNOWN_ERROR_CODE',
      `"code" must be one of ${[...list].join(', ')}`,
    );
  }
  return text;
}

const isAboutBills = (point: string) =>
  ['downloadbill', 'tradebill', 'billdownload'].includes(point);

const isBillError = (code: string) => findBillError(code) !== undefined;

export function removeFaults({ faults }: Wechat) {
  faults.clear();
  return {};
}

export function removeFault({ faults }: Wechat, _: Body, id: string) {
  if (!faults.remove(id)) {
    throw new ControlError(404, 'FAULT_NOT_FOUND', `there is no fault ${id}`);
  }
  return {};
}
