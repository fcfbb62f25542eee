import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type DemoTarget, payOnce } from '../../local/demo-payment.ts';
import { explainFailure } from '../../local/explain-failure.ts';
import { type Stack, startStack } from '../../local/stack.ts';

let stack: Stack;
let target: DemoTarget;

beforeAll(async () => {
  stack = await startStack({ inMemory: true, port: 0, simulatorPort: 0, schedule: false });
  const { apiUrl, simulatorUrl, dataDir, merchant } = stack;
  target = { apiUrl, simulatorUrl, dataDir, appid: merchant.appid };
});
afterAll(() => stack.stop());
afterEach(() => fetch(`${stack.simulatorUrl}/_simulator/faults`, { method: 'DELETE' }));

const addFault = (fault: object) =>
  fetch(`${stack.simulatorUrl}/_simulator/faults`, {
    method: 'POST',
    body: JSON.stringify(fault),
  });

const failure = async (): Promise<string> => {
  const error: unknown = await payOnce(target, () => {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return explainFailure(error);
};

describe('a demo that meets a fault', () => {
  test('says what came of each notification, how to end the fault, and that nothing is lost', async () => {
    await addFault({ point: 'notify', kind: 'lost' });
    const startedAt = performance.now();
    const text = await failure();

    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(text).toContain('Its attempts: 1 lost (fault lost).');
    expect(text).toContain(`curl -X POST ${stack.apiUrl}/_local/invoke/reconcile`);
    expect(text).toContain(`${stack.dataDir}/functions.log`);
    expect(text).toContain(
      `faults are active: notify/lost; switch them off: curl -X DELETE ${stack.simulatorUrl}/_simulator/faults`,
    );
  }, 15_000);

  test('says so of an answer 503 too', async () => {
    await addFault({ point: 'code2session', kind: 'error', code: '-1' });
    const text = await failure();

    expect(text).toMatch(/\/login answered 503: .*WEIXIN_BUSY/);
    expect(text).toContain(
      'faults are active: code2session/error; switch them off: curl -X DELETE',
    );
  });
});
