/** What the attempts of one operation may have done, for operations that must not be done twice. */
import { WechatPayTransportError } from '../errors.ts';
import type { Transport } from '../transport/transport.ts';

/** Watches the transports of one operation, which may use them several times. */
export interface Delivery {
  readonly watch: (transport: Transport) => Transport;
  /** Whether any attempt may have been carried out, whatever was answered. */
  readonly mayHaveReached: () => boolean;
  /** The same of every attempt but the last, whose answer or error speaks for itself. */
  readonly othersMayHaveReached: () => boolean;
}

export function watchDelivery(): Delivery {
  let others = false;
  let last = false;
  return {
    watch: (transport) => async (request) => {
      others ||= last;
      last = true;
      try {
        const response = await transport(request);
        others ||= response.otherAttempts?.maybeDelivered ?? false;
        return response;
      } catch (error) {
        last = !(error instanceof WechatPayTransportError && error.outcome === 'not-sent');
        throw error;
      }
    },
    mayHaveReached: () => others || last,
    othersMayHaveReached: () => others,
  };
}
