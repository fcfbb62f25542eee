/** What WeChat is told of a message that was verified. */
import type { Decision } from '../order/transition.ts';
import type { NotificationFailure } from './operations.ts';

/** Why a message is not taken as received, or nothing: what it reports is recorded. */
export function failureOf({ kind }: Pick<Decision, 'kind'>): NotificationFailure | undefined {
  switch (kind) {
    case 'apply':
    case 'duplicate':
      return undefined;
    case 'stale':
    case 'mismatch':
      return { statusCode: 409, code: 'TRANSACTION_MISMATCH' };
    case 'unknown-order':
      return { statusCode: 404, code: 'ORDER_NOT_FOUND' };
  }
}
