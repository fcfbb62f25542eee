/** Makes the code under test take this machine for one with another system. */
import { existsSync } from 'node:fs';

/** Whose ways to look at a process work here: `/proc` of Linux, `ps` as on macOS. */
export const PROCESS_PLATFORMS = [
  ...(existsSync('/proc/self/stat') ? ['linux'] : []),
  ...(existsSync('/bin/ps') ? ['darwin'] : []),
];

const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};

export function fakePlatform(value: string): void {
  Object.defineProperty(process, 'platform', { ...platform, value });
}

/** To be called after each test that used the fake. */
export function restorePlatform(): void {
  Object.defineProperty(process, 'platform', platform);
}
