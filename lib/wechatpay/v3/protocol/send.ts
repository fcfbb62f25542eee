/** One signed request to a v3 endpoint. */
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { VersionedSecret } from '../../../secrets/versioned-secret.ts';
import type { HostRequest } from '../../../transport/host.ts';
import type { Sending, Transport, WechatResponse } from '../../../transport/transport.ts';
import { signerOf } from './merchant-keys.ts';
import { authorization, type SignedRequest } from './sign.ts';

/** What it takes to talk to WeChat. */
export interface V3Connection {
  readonly transport: Transport;
  readonly merchant: VersionedSecret<MerchantSecret>;
  /** At most 32 letters and digits, new for each message. */
  readonly nonce: () => string;
  readonly nowMs: () => number;
}

/**
 * Sends a request signed with a merchant's key, and names the key that WeChat shall sign its answer
 * with: the public key when there is one, on every request; without the header WeChat takes the
 * platform certificate.
 */
export async function sendSigned(
  connection: Omit<V3Connection, 'merchant'>,
  secret: MerchantSecret,
  request: SignedRequest,
  sending: Sending & Pick<HostRequest, 'saveTo'>,
): Promise<WechatResponse> {
  const { wechatpayPublicKeyId } = secret;
  const stamp = {
    timestamp: String(Math.floor(connection.nowMs() / 1000)),
    nonce: connection.nonce(),
  };
  return connection.transport({
    method: request.method,
    path: request.path,
    headers: {
      accept: sending.saveTo ? '*/*' : 'application/json',
      authorization: authorization(request, signerOf(secret), stamp),
      ...(wechatpayPublicKeyId && { 'wechatpay-serial': wechatpayPublicKeyId }),
    },
    ...(request.method === 'POST' && {
      body: request.body,
      contentType: 'application/json',
    }),
    ...sending,
  });
}
