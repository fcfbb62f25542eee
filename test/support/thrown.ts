/** What a failing call says: its stable code and the values that its text names. */
import { ServiceError } from '../../lib/errors.ts';

/** Code and parameters of the error that a function throws; fails when it throws none of ours. */
export function refusalOf(action: () => unknown): { code: string; parameters: object } {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      throw error;
    }
    return { code: error.code, parameters: error.parameters };
  }
  throw new Error('nothing was refused');
}

/** Whatever a function throws; fails when it throws nothing. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
