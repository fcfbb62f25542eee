/** Variables of a function's environment, read and checked one by one. */
import { ConfigError } from '../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} naming the variable when it is not set, or empty. */
export function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (!value) {
    throw new ConfigError(`the environment variable ${name} is not set`);
  }
  return value;
}

/** @throws {ConfigError} naming the variable when it is no whole number between the two. */
export function integer(
  environment: Environment,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = environment[name];
  if (!text) {
    return fallback;
  }
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw new ConfigError(`${name} must be a whole number from ${min} to ${max}`);
  }
  return value;
}
