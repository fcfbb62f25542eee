import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { openSecret, type VersionedSecret } from '../../lib/secrets/versioned-secret.ts';

const SECRET_ID = 'wechatpay-serverless/test/merchant';
const schema = v.object({ key: v.pipe(v.string(), v.regex(/^k\d$/, 'Invalid format')) });
const version = (key: string) => JSON.stringify({ key });

type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';
type Stored = Partial<Record<Stage, string | Error>>;

/** A secret over a store that a test changes, a clock that it moves, and the reads that were made. */
function openTest(stored: Stored) {
  const reads: Stage[] = [];
  const clock = { nowMs: 1_000_000_000 };
  let gate: Promise<void> = Promise.resolve();
  const send = async (command: GetSecretValueCommand) => {
    expect(command.input.SecretId).toBe(SECRET_ID);
    const stage = command.input.VersionStage as Stage;
    reads.push(stage);
    await gate;
    const value = stored[stage];
    if (value instanceof Error) {
      throw value;
    }
    if (value === undefined) {
      throw new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
    }
    return { SecretString: value, $metadata: {} };
  };
  const secret = openSecret({ send: send as never }, SECRET_ID, schema, {
    nowMs: () => clock.nowMs,
  });
  /** Holds every read back until the returned function is called. */
  const holdReads = () => {
    let release = () => {};
    gate = new Promise((resolve) => {
      release = () => resolve();
    });
    return release;
  };
  return { secret, reads, clock, holdReads };
}

async function allOf(secret: VersionedSecret<{ key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const candidate of secret.candidates()) {
    keys.push(candidate.key);
  }
  return keys;
}

describe('the current version of a secret', () => {
  test('is fetched once and kept for 5 minutes', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, reads, clock } = openTest(stored);

    expect(await secret.current()).toEqual({ key: 'k1' });
    stored.AWSCURRENT = version('k2');
    clock.nowMs += 5 * 60_000 - 1;
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toEqual(['AWSCURRENT']);
    clock.nowMs += 1;
    expect(await secret.current()).toEqual({ key: 'k2' });
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT']);
  });

  test('is fetched again when the clock was moved back', async () => {
    const { secret, reads, clock } = openTest({ AWSCURRENT: version('k1') });
    await secret.current();
    clock.nowMs -= 1;
    await secret.current();

    expect(reads).toHaveLength(2);
  });

  test('is fetched once for all who ask at the same time', async () => {
    const { secret, reads } = openTest({ AWSCURRENT: version('k1') });

    const values = await Promise.all(Array.from({ length: 20 }, () => secret.current()));

    expect(new Set(values.map(({ key }) => key))).toEqual(new Set(['k1']));
    expect(reads).toEqual(['AWSCURRENT']);
  });

  test('that could not be fetched is fetched again by the next caller', async () => {
    const stored: Stored = { AWSCURRENT: new Error('network') };
    const { secret, reads } = openTest(stored);

    const failed = await Promise.allSettled([secret.current(), secret.current()]);
    stored.AWSCURRENT = version('k1');

    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(2);
  });

  test('serves up to an hour while it cannot be fetched, and is asked for every 10 seconds', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, clock, reads } = openTest(stored);
    await secret.current();
    stored.AWSCURRENT = new Error('network');
    clock.nowMs += 5 * 60_000;

    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(2);
    clock.nowMs += 10_000;
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(3);
    clock.nowMs += 55 * 60_000;
    await expect(secret.current()).rejects.toThrow('network');
  });

  test('that was made unusable is an error at once, whatever was good before', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, clock } = openTest(stored);
    await secret.current();
    stored.AWSCURRENT = 'no JSON';
    clock.nowMs += 5 * 60_000;

    await expect(secret.current()).rejects.toThrow('is not JSON');
  });

  test('that does not exist is a mistake of the deployment', async () => {
    const { secret } = openTest({});

    await expect(secret.current()).rejects.toThrow(
      new ConfigError(`the secret ${SECRET_ID} does not exist or has no value yet`),
    );
  });

  test.each([
    [
      'a malformed field',
      '{"key":"s3cret"}',
      'has a missing or malformed field: key (key Invalid format)',
    ],
    ['no JSON', 'k1-s3cret', 'is not JSON: it does not begin with { (line 1, column 1)'],
  ])('that holds %s is refused without a word of it', async (_, text, problem) => {
    const { secret } = openTest({ AWSCURRENT: text });

    const error = await secret.current().then(
      () => undefined,
      (cause: unknown) => cause,
    );

    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toBe(`the secret ${SECRET_ID} ${problem}`);
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).stack).not.toContain('s3cret');
  });
});

describe('the versions to verify with', () => {
  test('cost nothing when the current one fits', async () => {
    const { secret, reads } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });
    const candidates = secret.candidates();

    expect((await candidates.next()).value).toEqual({ key: 'k2' });
    await candidates.return(undefined);
    expect(reads).toEqual(['AWSCURRENT']);
  });

  test('are the current one, then the previous one', async () => {
    const { secret, reads } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });

    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
  });

  test('include a key that was put after the last fetch', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k1');
    stored.AWSCURRENT = version('k2');

    expect(await allOf(secret)).toEqual(['k1', 'k2']);
    expect(await secret.current()).toEqual({ key: 'k2' });
  });

  test('include both when two keys were put after the last fetch', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k2');
    stored.AWSCURRENT = version('k3');

    expect(await allOf(secret)).toEqual(['k1', 'k3', 'k2']);
  });

  test('keep the previous one at hand for 5 minutes, and do not look for more within 2 seconds', async () => {
    const { secret, reads, clock } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });
    await allOf(secret);
    const before = reads.length;

    clock.nowMs += 1_999;
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toHaveLength(before);
    clock.nowMs += 1;
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toHaveLength(before + 2);
  });

  test('forget the previous one when it is replaced, so that a leaked key can be retired', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: version('k1') };
    const { secret, clock } = openTest(stored);
    await allOf(secret);
    stored.AWSPREVIOUS = version('k2');
    clock.nowMs += 5 * 60_000;

    expect(await allOf(secret)).toEqual(['k2']);
    expect(await allOf(secret)).toEqual(['k2']);
  });

  test('no longer include a previous one that is 5 minutes old while it cannot be read again', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: version('k1') };
    const { secret, clock } = openTest(stored);
    await allOf(secret);
    stored.AWSPREVIOUS = new Error('network');
    clock.nowMs += 5 * 60_000;

    await expect(allOf(secret)).rejects.toThrow('network');
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { key } of secret.candidates()) {
          seen.push(key);
        }
      })(),
    ).rejects.toThrow('network');
    expect(seen).toEqual(['k2']);
  });

  test('end without a failure again once they could be read', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: new Error('network') };
    const { secret, clock, reads } = openTest(stored);
    await expect(allOf(secret)).rejects.toThrow('network');
    const before = reads.length;
    await expect(allOf(secret)).rejects.toThrow('network');
    expect(reads).toHaveLength(before);

    stored.AWSPREVIOUS = version('k1');
    clock.nowMs += 2_000;
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
  });

  test('are looked for once by a flood of messages that fit none', async () => {
    const { secret, reads } = openTest({ AWSCURRENT: version('k1') });
    await secret.current();

    await Promise.all(Array.from({ length: 50 }, () => allOf(secret)));

    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
  });

  test('are there for everyone who asks while they are being looked for', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, holdReads } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k1');
    stored.AWSCURRENT = version('k2');

    const release = holdReads();
    const asked = [allOf(secret), allOf(secret), allOf(secret)];
    await vi.waitFor(() => undefined);
    release();

    expect(await Promise.all(asked)).toEqual([
      ['k1', 'k2'],
      ['k1', 'k2'],
      ['k1', 'k2'],
    ]);
  });

  test.each([
    ['does not exist', undefined],
    ['was never usable', '{"key":"s3cret"}'],
    ['is no JSON', 's3cret'],
  ])('are the current one alone when the previous one %s', async (_, previous) => {
    const { secret } = openTest({
      AWSCURRENT: version('k2'),
      ...(previous !== undefined && { AWSPREVIOUS: previous }),
    });

    expect(await allOf(secret)).toEqual(['k2']);
  });

  test('fail when they cannot be fetched, which is not the same as "forged"', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: new Error('network') };
    const { secret, clock } = openTest(stored);

    await expect(allOf(secret)).rejects.toThrow('network');
    stored.AWSPREVIOUS = version('k1');
    clock.nowMs += 2_000;

    expect(await allOf(secret)).toEqual(['k2', 'k1']);
  });
});
