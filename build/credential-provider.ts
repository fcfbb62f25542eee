import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Stands in for `@aws-sdk/credential-provider-node` in the bundles: Lambda always hands a function
 * its credentials in the environment, and the full provider chain (profiles, SSO, instance
 * metadata) is a third of the bundle.
 */
export const defaultProvider = () => fromEnv();
