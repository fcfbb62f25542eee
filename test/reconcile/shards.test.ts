import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { shardsOf } from '../../lib/reconcile/shards.ts';

const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

describe('the shards of a run', () => {
  test.each([[{}], [undefined], [null], [{ source: 'aws.events', detail: {} }]])(
    'are all of them where the event names none: %j',
    (event) => {
      expect(shardsOf(event)).toEqual(ALL);
    },
  );

  test('are those that the event names, each once', () => {
    expect(shardsOf({ shards: [3, 0, 3, 15] })).toEqual([3, 0, 15]);
  });

  test.each([[[]], [[16]], [[-1]], [[1.5]], [['1']], ['0'], [null]])(
    'are refused as a wrong setting when they are none: %j',
    (shards) => {
      expect(() => shardsOf({ shards })).toThrow(ConfigError);
    },
  );
});
