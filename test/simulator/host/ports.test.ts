import { describe, expect, test } from 'vitest';
import { isBlockedPort, proposePort, readPort } from '../../../simulator/host/ports.ts';

/** What the fetch of this Node refuses by itself, asked without opening a connection. */
async function isRefusedByFetch(port: number): Promise<boolean> {
  const dispatcher = {
    dispatch: () => {
      throw new Error('would connect');
    },
  };
  const reason: unknown = await fetch(`http://127.0.0.1:${port}`, { dispatcher } as never).then(
    () => undefined,
    (error: unknown) => (error as Error).cause,
  );
  return reason instanceof Error && reason.message === 'bad port';
}

const read = (text?: string) => readPort('PORT', 3000, { PORT: text });

describe('a port from the environment', () => {
  test.each([
    [undefined, 3000],
    ['', 3000],
    ['0', 0],
    [' 8080 ', 8080],
    ['65535', 65_535],
  ])('%j is %i', (text, port) => {
    expect(read(text)).toBe(port);
  });

  test.each(['abc', '-1', '3000.5', '1e3', '0x10', '65536', '127.0.0.1:3000'])(
    '%s is refused with the variable and an example',
    (text) => {
      expect(() => read(text)).toThrow(
        `PORT=${text} is not a port: give a whole number from 0 (a free one) to 65535, such as PORT=3000`,
      );
    },
  );

  test('that fetch cannot call is refused with another one', () => {
    expect(() => read('4190')).toThrow(
      'PORT=4190 is a port that fetch and browsers refuse to call: choose another, such as PORT=4191',
    );
    expect(() => read('6665')).toThrow('such as PORT=6670');
  });

  test('up to 11000 is refused exactly where fetch refuses it', async () => {
    const differing: number[] = [];
    for (let port = 1; port <= 11_000; port += 1) {
      if ((await isRefusedByFetch(port)) !== isBlockedPort(port)) {
        differing.push(port);
      }
    }
    expect(differing).toEqual([]);
  }, 60_000);

  test('that is proposed is one that there is', () => {
    expect(proposePort(65_535)).toBe(3000);
    expect(proposePort(3000)).toBe(3001);
  });
});
