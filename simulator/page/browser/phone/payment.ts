/** `wx.requestPayment`: WeChat's own sheet, over which the mini-program has no say. */
import type { Outcome } from './async-api.ts';
import { askForPassword, closeSheet, showReceipt, type SheetOrder } from './payment-sheet.ts';
import { post } from './post.ts';
import type { Phone, WxOptions } from './globals.ts';

const PARAMETERS = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'] as const;
const ERR_MSG = /^requestPayment:(ok|fail) ?(.*)$/s;

interface WechatOrder {
  readonly tradeState: string;
  readonly totalFen: number;
  readonly payableUntil: string;
  readonly request: Readonly<Record<string, string>>;
}

/** Resolves when the sheet is gone: paid and acknowledged, cancelled, or refused by WeChat. */
export async function requestPayment(phone: Phone, options: WxOptions): Promise<Outcome> {
  const parameters = Object.fromEntries(PARAMETERS.map((name) => [name, options[name]]));
  const submit = (more: object) =>
    post('/_simulator/request-payment', { user: phone.buyer, ...parameters, ...more }).then(
      (result) => readResult(result as { errMsg: string }),
    );
  const order = await findOrder(String(options['package']));
  // The sheet does not even open for what cannot be paid: WeChat answers at once.
  if (!order) {
    return submit({});
  }
  if ((await askForPassword(order)) === 'cancelled') {
    return submit({ cancel: true });
  }
  const outcome = await submit({});
  closeSheet();
  if ('ok' in outcome) {
    await showReceipt(order);
  }
  return outcome;
}

function readResult({ errMsg }: { errMsg: string }): Outcome {
  const [, result, detail = ''] = ERR_MSG.exec(errMsg) ?? [];
  return result === 'ok' ? { ok: {} } : { fail: detail };
}

async function findOrder(packageText: string): Promise<SheetOrder | undefined> {
  const prepayId = packageText.replace(/^prepay_id=/, '');
  const answer = await fetch(`/_simulator/prepays/${encodeURIComponent(prepayId)}`);
  if (!answer.ok) {
    return undefined;
  }
  const order = (await answer.json()) as WechatOrder;
  const isOpen = ['NOTPAY', 'USERPAYING', 'ACCEPT', 'PAYERROR'].includes(order.tradeState);
  const isPayable = isOpen && Date.parse(order.payableUntil) > Date.now();
  return isPayable
    ? {
        totalFen: order.totalFen,
        description: order.request['body'] ?? '',
        mchid: order.request['mch_id'] ?? '',
      }
    : undefined;
}
