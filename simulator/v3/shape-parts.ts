/** Pieces that the shapes of several v3 requests are made of. */
import type { Shape } from './json-shape.ts';

export type ShapeFields = Record<string, Shape>;
export type ObjectShape = Extract<Shape, { type: 'object' }>;

export const text = (
  label: string,
  max: number,
  more: { min?: number; pattern?: RegExp } = {},
): Shape => ({
  type: 'string',
  label,
  max,
  ...more,
});
export const required = (shape: Shape): Shape => ({ ...shape, required: true });
export const fen = (label: string, min = 0): Shape => ({ type: 'integer', label, min });
export const group = (label: string, fields: ShapeFields): ObjectShape => ({
  type: 'object',
  label,
  fields,
});

export const OUT_TRADE_NO = text('商户订单号', 32, { min: 6, pattern: /^[0-9A-Za-z_\-|*]+$/ });
export const SUB_MERCHANT_NUMBER = required(text('子商户号', 32, { pattern: /^\d+$/ }));
/** http is refused by some pages and allowed by others; a query string by none. */
export const NOTIFY_URL = /^https?:\/\/[^\s?#/]+(\/[^\s?#]*)?$/;
