/** A secret whose versions are given, and that counts how far a caller went through them. */
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import type { VersionedSecret } from '../../lib/secrets/versioned-secret.ts';
import { MCHID } from './sample-orders.ts';
import { API_V2_KEY } from './v2-message.ts';

export interface CountedSecret<T> extends VersionedSecret<T> {
  /** How many versions were asked for by callers who verify. */
  readonly offered: () => number;
}

/** The first version is the current one. */
export function secretVersions<T>(current: T, ...older: T[]): CountedSecret<T> {
  let offered = 0;
  return {
    current: async () => current,
    async *candidates() {
      for (const version of [current, ...older]) {
        offered += 1;
        yield version;
      }
    },
    offered: () => offered,
  };
}

export function merchantWith(apiV2Key = API_V2_KEY, mchid = MCHID): MerchantSecret {
  return { mchid, apiV2Key };
}
