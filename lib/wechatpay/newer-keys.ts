/** The second try of a call that was refused because the merchant's keys were changed meanwhile. */
import type { MerchantSecret } from '../secrets/merchant.ts';
import type { VersionedSecret } from '../secrets/versioned-secret.ts';

/** Runs something once, later; the function in return calls it off. */
export type StartTimer = (delayMs: number, run: () => void) => () => void;

/** What `work` comes to within the time, else nothing; what it comes to afterwards is dropped. */
export async function inTime<T>(
  startTimer: StartTimer,
  timeoutMs: number,
  work: Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(timeoutMs, () => resolve(undefined));
    work.then(
      (value) => {
        stop();
        resolve({ value });
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

/**
 * The merchant's current secret, read afresh, if its keys are others than those of `used`; nothing
 * when it is another merchant's, or cannot be read: what WeChat answered says more than that.
 */
export async function findNewerKeys(
  merchant: VersionedSecret<MerchantSecret>,
  used: MerchantSecret,
  keysOf: (secret: MerchantSecret) => string | undefined,
): Promise<MerchantSecret | undefined> {
  try {
    const versions = merchant.candidates();
    while (!(await versions.next()).done) {}
    const current = await merchant.current();
    const keys = keysOf(current);
    const isNewer = keys !== undefined && keys !== keysOf(used);
    return current.mchid === used.mchid && isNewer ? current : undefined;
  } catch {
    return undefined;
  }
}
