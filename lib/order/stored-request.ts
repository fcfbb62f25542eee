/** The request that created an order at WeChat, as its row keeps it. */
import type { ApiVersion } from './parties.ts';

/** Algorithm of the signatures of API v2. An order keeps the one it was created with. */
export type SignType = 'MD5' | 'HMAC-SHA256';

/**
 * A request to create an order, exactly as it goes to WeChat except for what changes each time
 * (nonce, signature). WeChat takes a repeat only if nothing differs.
 */
export type StoredRequest =
  | { readonly apiVersion: 'v2'; readonly fields: Readonly<Record<string, string>> }
  | { readonly apiVersion: 'v3'; readonly path: string; readonly body: string };

/** The stored request of one version: the other's is another type. */
export type StoredRequestOf<Version extends ApiVersion> = Extract<
  StoredRequest,
  { readonly apiVersion: Version }
>;

/**
 * The request, once it is known to be of this version.
 *
 * @throws {TypeError} when an order was handed to the other version.
 */
export function storedRequestOf<Version extends ApiVersion>(
  request: StoredRequest,
  apiVersion: Version,
): StoredRequestOf<Version> {
  if (!isOf(request, apiVersion)) {
    throw new TypeError(`an order of API ${request.apiVersion} was handed to API ${apiVersion}`);
  }
  return request;
}

function isOf<Version extends ApiVersion>(
  request: StoredRequest,
  apiVersion: Version,
): request is StoredRequestOf<Version> {
  return request.apiVersion === apiVersion;
}
