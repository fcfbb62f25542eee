/** `/pay/downloadbill` (下载交易账单): the file itself, or an error in XML, both without a signature. */
import { readCompactDay } from '../book/bill/bill-day.ts';
import { BILL_TYPES } from '../book/bill/bill-layout.ts';
import type { BillFalsehood, BillFile, BillOrder } from '../book/bills.ts';
import { answerBill } from '../host/bill-answer.ts';
import { BILL_ERRORS, type BillError, findBillError } from '../host/bill-error-names.ts';
import type { Fault } from '../host/faults.ts';
import type { Answer, Reply, Request } from '../host/http.ts';
import type { Message } from '../host/messages.ts';
import type { Service } from '../host/service.ts';
import { isSpoiling, spoil } from '../host/spoil.ts';
import { answerXml } from './answer-xml.ts';
import type { Outcome } from './errors.ts';
import { answerWithFault } from './faulty-call.ts';
import { openRequest } from './open-request.ts';
import type { Fields } from './wire.ts';

/** WeChat knows it, has not made a bill of every order yet, and makes none by this call. */
export function downloadBill(service: Service, request: Request, message: Message): Reply {
  const refuse = (error: BillError, note?: string, text = error.text): Answer => {
    if (note !== undefined) {
      message.note = note;
    }
    return answerXml({ return_code: 'FAIL', return_msg: text, error_code: error.errorCode });
  };
  const opened = openRequest(service, request, message, { isSubMerchantOptional: true });
  if ('refused' in opened) {
    const { refused } = opened;
    const isForged = message.signature?.result === 'invalid';
    return isForged
      ? refuse(BILL_ERRORS.SIGN, noteOf(refused))
      : refuse(BILL_ERRORS.MISSING, noteOf(refused), textOf(refused));
  }
  const perform = (falsehood?: BillFalsehood, altered = false): Answer => {
    const made = makeBill(service, opened.fields, falsehood);
    return 'error' in made
      ? refuse(made.error, made.note)
      : answerBill(made.file, message, altered);
  };
  const fault = service.faults.take('downloadbill', (kind) => kind !== 'probe');
  if (!fault) {
    return perform();
  }
  message.fault = fault.kind;
  return isSpoiling(fault)
    ? spoil(fault, perform, message)
    : answerWithFault(fault, {
        refuse: () => refuse(nameFault(fault), undefined, fault.text),
        perform,
        forge: (kind) => (kind === 'tamper' ? perform(undefined, true) : perform(kind)),
      });
}

const nameFault = ({ code = 'System Error' }: Fault): BillError =>
  findBillError(code) ?? BILL_ERRORS.SYSTEM;

const textOf = (outcome: Outcome) =>
  outcome.kind === 'ok' ? BILL_ERRORS.SYSTEM.text : outcome.text;

const noteOf = (outcome: Outcome) => (outcome.kind === 'gateway' ? outcome.note : textOf(outcome));

type Made = { readonly file: BillFile } | { readonly error: BillError; readonly note?: string };

function makeBill(
  { bills }: Pick<Service, 'bills'>,
  fields: Fields,
  falsehood: BillFalsehood | undefined,
): Made {
  const order = readOrder(fields, falsehood);
  if ('error' in order) {
    return order;
  }
  const { date } = order;
  switch (bills.stateOf(date)) {
    case 'NOT_OVER':
      return { error: BILL_ERRORS.FORMAT, note: `${date} is not over in Beijing` };
    case 'TOO_OLD':
      return { error: BILL_ERRORS.FORMAT, note: `${date} is more than three months ago` };
    case 'CREATING':
      return { error: BILL_ERRORS.CREATING, note: `${date} is ready at 10:00 of the next day` };
    case 'READY': {
      const file = bills.write(order);
      return file ? { file } : { error: BILL_ERRORS.NO_BILL };
    }
  }
}

function readOrder(
  fields: Fields,
  falsehood: BillFalsehood | undefined,
): BillOrder | Extract<Made, { error: BillError }> {
  const { bill_date: day, bill_type: kind = 'ALL', tar_type: form, sub_mch_id: subMchid } = fields;
  if (!day) {
    return { error: BILL_ERRORS.MISSING, note: 'bill_date is missing' };
  }
  const date = readCompactDay(day);
  if (date === undefined) {
    return { error: BILL_ERRORS.FORMAT, note: 'bill_date is not a day as yyyyMMdd' };
  }
  const type = BILL_TYPES.find((one) => one === (kind || 'ALL'));
  if (type === undefined) {
    return { error: BILL_ERRORS.BILL_TYPE, note: `there are ${BILL_TYPES.join(', ')} here` };
  }
  if (form && form !== 'GZIP') {
    return { error: BILL_ERRORS.FORMAT, note: 'tar_type is GZIP or absent' };
  }
  return {
    date,
    type,
    ...(subMchid ? { subMchid } : {}),
    gzip: form === 'GZIP',
    ...(falsehood ? { falsehood } : {}),
  };
}
