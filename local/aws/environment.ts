/** The environment of the functions, as `serverless.yml` would set it, pointed at the emulators. */
import type { ApiVersion } from '../../lib/order/parties.ts';

export interface Names {
  readonly tableName: string;
  readonly secretIds: { readonly miniProgram: string; readonly merchant: string };
  readonly busName: string;
}

export interface Addresses {
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly simulatorBackupUrl: string;
  /** Empty texts: it has no TLS. */
  readonly simulatorTls: {
    readonly url: string;
    readonly backupUrl: string;
    readonly authority: string;
  };
  readonly dynamoDbEndpoint: string;
  readonly secretsManagerEndpoint: string;
  readonly eventBridgeEndpoint: string;
}

/** How the resources of a local stack are called. */
export const nameResources = (service: string): Names => ({
  tableName: `${service}-local`,
  secretIds: {
    miniProgram: `${service}/local/mini-program`,
    merchant: `${service}/local/merchant`,
  },
  busName: `${service}-local`,
});

/** Variables of the developer's own shell that would lead the SDK past the emulators. */
const UNWANTED = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
];

/** Sets the variables; call it before the functions are loaded. Returns the way back. */
export function setEnvironment(
  service: string,
  { tableName, secretIds, busName }: Names,
  addresses: Addresses,
  apiVersion: ApiVersion | undefined,
): () => void {
  const weixinUrls = `${addresses.simulatorUrl},${addresses.simulatorBackupUrl}`;
  const { simulatorTls: tls } = addresses;
  const certifiedUrls = tls.url ? `${tls.url},${tls.backupUrl}` : undefined;
  const variables: Record<string, string | undefined> = {
    ...Object.fromEntries(UNWANTED.map((name) => [name, undefined])),
    STAGE: 'local',
    TABLE_NAME: tableName,
    MINI_PROGRAM_SECRET_ID: secretIds.miniProgram,
    MERCHANT_SECRET_ID: secretIds.merchant,
    EVENT_BUS_NAME: busName,
    NOTIFICATION_RETENTION_DAYS: '90',
    PUBLIC_BASE_URL: addresses.apiUrl,
    WECHAT_PAY_BASE_URLS: weixinUrls,
    WEIXIN_BASE_URLS: weixinUrls,
    WECHAT_PAY_CERTIFIED_BASE_URLS: certifiedUrls,
    WECHAT_PAY_CERTIFIED_CA: tls.authority || undefined,
    ...(apiVersion === undefined ? {} : { WECHAT_PAY_API_VERSION: apiVersion }),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: addresses.dynamoDbEndpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: addresses.secretsManagerEndpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: addresses.eventBridgeEndpoint,
    // One process serves many requests at once here; see lambda.ts.
    AWS_LAMBDA_MAX_CONCURRENCY: '1000',
    POWERTOOLS_SERVICE_NAME: `${service}-local`,
    POWERTOOLS_METRICS_NAMESPACE: 'WechatPayServerless',
    POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? 'INFO',
  };
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  applyVariables(Object.entries(variables));
  return () => applyVariables(before);
}

function applyVariables(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
}
