/** WeChat's convention: callbacks when there are some, else a promise; `errMsg` on everything. */
import type { WxOptions } from './globals.ts';

/** What becomes of one call: the fields of `success`, or the text after `fail`. */
export type Outcome = { readonly ok: object } | { readonly fail: string };

type Callback = ((result: object) => void) | undefined;

export function asyncApi(
  name: string,
  run: (options: WxOptions) => Outcome | Promise<Outcome>,
): (options?: WxOptions) => unknown {
  return (options = {}) => {
    const { success, fail, complete } = options as Record<string, Callback>;
    const settled = settle(name, run, options);
    if (!success && !fail && !complete) {
      return settled.then(({ isOk, result }) => {
        if (isOk) {
          return result;
        }
        throw Object.assign(new Error((result as { errMsg: string }).errMsg), result);
      });
    }
    void settled.then(({ isOk, result }) => {
      (isOk ? success : fail)?.(result);
      complete?.(result);
    });
    return undefined;
  };
}

async function settle(
  name: string,
  run: (options: WxOptions) => Outcome | Promise<Outcome>,
  options: WxOptions,
): Promise<{ isOk: boolean; result: object }> {
  let outcome: Outcome;
  try {
    outcome = await run(options);
  } catch (error) {
    outcome = { fail: error instanceof Error ? error.message : String(error) };
  }
  return 'ok' in outcome
    ? { isOk: true, result: { ...outcome.ok, errMsg: `${name}:ok` } }
    : { isOk: false, result: { errMsg: `${name}:fail ${outcome.fail}` } };
}
