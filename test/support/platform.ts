/** Makes the code under test take this machine for one with another system. */

const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};

export function fakePlatform(value: string): void {
  Object.defineProperty(process, 'platform', { ...platform, value });
}

/** To be called after each test that used the fake. */
export function restorePlatform(): void {
  Object.defineProperty(process, 'platform', platform);
}
