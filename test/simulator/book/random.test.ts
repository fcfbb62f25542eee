import { expect, test } from 'vitest';
import { createUuid, randomText } from '../../../simulator/book/random.ts';

/** Every byte once, in order, and then again. */
function countingBytes() {
  let next = 0;
  return (size: number) =>
    Buffer.from(
      Array.from({ length: size }, () => {
        next += 1;
        return (next - 1) % 256;
      }),
    );
}

test.each([
  ['0123456789', 25],
  ['0123456789abcdef', 16],
  [undefined, 4],
])('of alphabet %s every character is as likely as any other', (alphabet, times) => {
  const size = alphabet?.length ?? 62;
  const text = randomText(countingBytes(), size * times, alphabet);
  const counts = new Map<string, number>();
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }

  expect(text).toHaveLength(size * times);
  expect(counts.size).toBe(size);
  expect(new Set(counts.values())).toEqual(new Set([times]));
});

test('a UUID says that it is of version 4', () => {
  expect(createUuid(() => Buffer.alloc(16, 0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  expect(createUuid(() => Buffer.alloc(16))).toBe('00000000-0000-4000-8000-000000000000');
});
