/** The merchant's side of a running stack: its console at WeChat, and its secret. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import type { MiniProgramSecret } from '../../lib/secrets/mini-program.ts';
import type { Stack } from '../../local/stack.ts';
import { call } from './shop.ts';

const SECRETS = 'wechatpay-serverless/local';

export interface BookedOrder {
  readonly outTradeNo: string;
  readonly api: 'v2' | 'v3';
  readonly tradeState: string;
  readonly openid: string;
  readonly transactionId: string | null;
  readonly subMchid?: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly notifications: readonly {
    readonly kind: string;
    readonly state: string;
    readonly attempts: readonly { readonly outcome: string }[];
  }[];
}

export interface StackConsole {
  /** A call of the simulator's control API that must succeed. */
  readonly control: <T>(
    path: string,
    body?: unknown,
    method?: 'GET' | 'POST' | 'DELETE',
  ) => Promise<T>;
  /** WeChat's own view of an order. */
  readonly booked: (outTradeNo: string) => Promise<BookedOrder>;
  readonly setFault: (fault: Record<string, unknown>) => Promise<unknown>;
  readonly clearFaults: () => Promise<unknown>;
  /** Puts a new version of the merchant's secret; `undefined` takes a field away. */
  readonly putSecret: (changes: Partial<MerchantSecret>) => Promise<void>;
  readonly putMiniProgramSecret: (changes: Partial<MiniProgramSecret>) => Promise<void>;
  readonly close: () => void;
}

export function openConsole({ simulatorUrl, secretsManagerEndpoint }: Stack): StackConsole {
  const secretsManager = new SecretsManagerClient({
    endpoint: secretsManagerEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  async function control<T>(
    path: string,
    body?: unknown,
    method: 'GET' | 'POST' | 'DELETE' = body === undefined ? 'GET' : 'POST',
  ): Promise<T> {
    const answer = await call<T>(`${simulatorUrl}/_simulator/${path}`, method, body);
    if (answer.status === 200) {
      return answer.body;
    }
    throw new Error(`${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  async function putVersion(secretId: string, changes: object): Promise<void> {
    const now = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId }));
    const secret = { ...(JSON.parse(now.SecretString ?? '{}') as object), ...changes };
    await secretsManager.send(
      new PutSecretValueCommand({ SecretId: secretId, SecretString: JSON.stringify(secret) }),
    );
  }
  return {
    control,
    booked: (outTradeNo) => control(`orders/${outTradeNo}`),
    setFault: (fault) => control('faults', fault),
    clearFaults: () => control('faults', undefined, 'DELETE'),
    putSecret: (changes) => putVersion(`${SECRETS}/merchant`, changes),
    putMiniProgramSecret: (changes) => putVersion(`${SECRETS}/mini-program`, changes),
    close: () => secretsManager.destroy(),
  };
}
