/** How bills write money: yuan, with two decimals, and fees with five. */

/** `-0.01` */
export function formatYuan(fen: number): string {
  const digits = Math.abs(fen).toString().padStart(3, '0');
  return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** `-0.04000`: WeChat rounds a fee to a fen and writes it with five decimals. */
export const formatFee = (fen: number): string => `${formatYuan(fen)}000`;

/** The fee for so many fen at a rate such as `0.60%`, to a fen. */
export function feeOf(fen: number, rate: string): number {
  const tenThousandths = Number(rate.replace(/[.%]/g, ''));
  return Math.round((fen * tenThousandths) / 10_000);
}
