import { describe, expect, it } from 'vitest';
import { parseTemplate, readTemplate } from '../../../local/aws/template.ts';

describe('the reader of serverless.yml', () => {
  it('finds routes in every usual spelling, timeouts, memory and schedules', () => {
    const { service, functions } = parseTemplate(`
service: shop
provider: { timeout: 7, memorySize: 256, environment: { TABLE: { Ref: Table }, X: !Sub '\${Y}' } }
functions:
  a:
    handler: functions/a.main
    timeout: 4
    events:
      - httpApi: 'POST /a'
      - httpApi: { path: '/b/{id}', method: get }
      - httpApi: '*'
      - sns: topic
  b:
    handler: index.handler
    memorySize: \${param:memory}
    reservedConcurrency: { Fn::If: [X, 1, { Ref: AWS::NoValue }] }
    events:
      - schedule: rate(1 minute)
      - schedule: { rate: [rate(1 hour)] }
      - schedule: { rate: rate(1 day), enabled: false }
`);
    expect(service).toBe('shop');
    expect(functions[0]).toMatchObject({
      name: 'a',
      exportName: 'main',
      timeoutMs: 4000,
      memoryMb: 256,
      schedules: [],
    });
    expect(functions[0]?.routes.map(({ key }) => key)).toEqual([
      'POST /a',
      'GET /b/{id}',
      '$default',
    ]);
    expect(functions[1]).toMatchObject({ exportName: 'handler', timeoutMs: 7000, memoryMb: 1024 });
    expect(functions[1]?.schedules.map(({ periodMs }) => periodMs)).toEqual([60_000, 3_600_000]);
  });

  it('refuses a schedule that it would not run', () => {
    const text = 'functions: { bill: { events: [{ schedule: cron(0/5 * * * ? *) }] } }';
    expect(() => parseTemplate(text)).toThrow('bill has a schedule not known here');
  });

  it('reads the template of this project', () => {
    const { functions } = readTemplate('serverless.yml');
    const routes = functions.flatMap((definition) => definition.routes.map(({ key }) => key));
    expect(routes).toEqual(
      expect.arrayContaining([
        'POST /login',
        'POST /prepay',
        'GET /orders/{outTradeNo}',
        'POST /notify/v2/payment',
      ]),
    );
    expect(functions.find(({ name }) => name === 'notify')?.timeoutMs).toBe(4000);
    const scheduled = functions.filter(({ schedules }) => schedules.length > 0);
    expect(scheduled.map(({ name }) => name)).toContain('reconcile');
  });
});
