/** The APIv2 keys of the versions of the merchant's secret. */
import { ConfigError } from '../../../errors.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { VersionedSecret } from '../../../secrets/versioned-secret.ts';
import { OWNERS_FAULTS } from '../../remedy.ts';

/** The APIv2 key to sign with. @throws {ConfigError} when the secret has none. */
export function signingKey({ apiV2Key }: MerchantSecret): string {
  if (apiV2Key === undefined) {
    throw new ConfigError(
      'the merchant secret has no apiV2Key, which an order of API v2 needs',
      undefined,
      OWNERS_FAULTS.apiV2Key.where,
    );
  }
  return apiV2Key;
}

/** The APIv2 keys a genuine answer to a merchant may be signed with, the likeliest first. */
export async function* apiV2Keys(
  merchant: VersionedSecret<MerchantSecret>,
  asked: string | undefined,
): AsyncGenerator<string> {
  for await (const { apiV2Key, mchid } of merchant.candidates()) {
    if (apiV2Key !== undefined && mchid === asked) {
      yield apiV2Key;
    }
  }
}
