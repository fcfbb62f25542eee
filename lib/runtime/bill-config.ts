/** Settings of `bill` that no other function has. */
import { ConfigError } from '../errors.ts';
import type { Environment } from './environment.ts';

export interface BillConfig {
  /** Whether a number has the form of another system's that sells under the same merchant number. */
  readonly isForeign: (outTradeNo: string) => boolean;
}

/** @throws {ConfigError} naming the variable, never its value. */
export function loadBillConfig(environment: Environment): BillConfig {
  const name = 'FOREIGN_ORDER_NUMBERS';
  const form = environment[name];
  if (!form) {
    return { isForeign: () => false };
  }
  const pattern = compile(name, form);
  return { isForeign: (outTradeNo) => pattern.test(outTradeNo) };
}

/** The whole number has to be of the form. */
function compile(name: string, form: string): RegExp {
  try {
    return new RegExp(`^(?:${form})$`);
  } catch (error) {
    throw new ConfigError(`${name} is not a regular expression`, error);
  }
}
