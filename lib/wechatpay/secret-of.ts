/** Which version of the merchant's secret speaks for an order. */
import { ConfigError } from '../errors.ts';
import type { MerchantSecret } from '../secrets/merchant.ts';
import type { VersionedSecret } from '../secrets/versioned-secret.ts';
import { OWNERS_FAULTS } from './remedy.ts';

/**
 * The version that belongs to a merchant number: the current one, or, for an order from before the
 * number changed, the one before it.
 *
 * @throws {ConfigError} when an order was made for another merchant than those of the versions.
 */
export async function secretOf(
  merchant: VersionedSecret<MerchantSecret>,
  mchid: string | undefined,
): Promise<MerchantSecret> {
  const current = await merchant.current();
  if (current.mchid === mchid) {
    return current;
  }
  for await (const version of merchant.candidates()) {
    if (version.mchid === mchid) {
      return version;
    }
  }
  throw new ConfigError(
    `an order belongs to merchant ${mchid}, but the secret is that of merchant ${current.mchid}`,
    undefined,
    OWNERS_FAULTS.mchid.where,
  );
}

/** One version of each merchant that the secret has versions of; the current one first. */
export async function secretOfEachMerchant(
  merchant: VersionedSecret<MerchantSecret>,
): Promise<readonly MerchantSecret[]> {
  const found = new Map<string, MerchantSecret>();
  for await (const version of merchant.candidates()) {
    found.set(version.mchid, found.get(version.mchid) ?? version);
  }
  return [...found.values()];
}
