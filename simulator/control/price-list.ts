/** The part of the control API about the price list: amounts that choose what happens. */
import { PRICE_LIST } from '../host/price-list.ts';
import type { Wechat } from '../wechat.ts';
import { type Body, ControlError } from './input.ts';

export const showPriceList = ({ prices }: Wechat) => ({
  enabled: prices.isEnabled(),
  prices: PRICE_LIST.map(({ fen, at, en, zh }) => ({ totalFen: fen, at, en, zh })),
});

export function setPriceList(wechat: Wechat, { enabled }: Body) {
  if (typeof enabled !== 'boolean') {
    throw new ControlError(400, 'INVALID_FIELD', '"enabled" must be true or false');
  }
  wechat.prices.setEnabled(enabled);
  return { enabled };
}
