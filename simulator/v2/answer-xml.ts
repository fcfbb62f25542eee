/** An answer of API v2. */
import type { Answer } from '../host/http.ts';
import { type Fields, toXml } from './wire.ts';

export const answerXml = (fields: Fields): Answer => ({
  status: 200,
  headers: { 'Content-Type': 'text/plain;charset=utf-8' },
  body: toXml(fields),
});
