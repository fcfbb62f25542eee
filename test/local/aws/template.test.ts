import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

  it('finds routes that demand a signature, and refuses an authorizer that it would not ask', () => {
    const read = (authorizer: string) =>
      parseTemplate(`
service: shop
functions:
  a:
    handler: index.handler
    events:
      - httpApi: { path: /a, method: get, authorizer: ${authorizer} }
      - httpApi: GET /b
`).functions.flatMap(({ routes }) => routes);

    expect(read('{ type: aws_iam }')).toEqual([
      { key: 'GET /a', functionName: 'a', authorizer: 'AWS_IAM' },
      { key: 'GET /b', functionName: 'a' },
    ]);
    expect(() => read('{ name: jwt }')).toThrow(
      'serverless.yml: a has an authorizer not known here: {"name":"jwt"}',
    );
    expect(() => read('jwt')).toThrow('a has an authorizer not known here: "jwt"');
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

describe('files that serverless.yml names', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'template-'));
    mkdirSync(path.join(directory, 'deploy'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(path.join(directory, name), text);
  const read = (text: string) => {
    write('serverless.yml', text);
    return readTemplate(path.join(directory, 'serverless.yml'));
  };

  it('are read in its place: whole, a part of one, a list of them, and one from another', () => {
    write(
      'deploy/buyers.yml',
      'look: { handler: a.look, events: "${file(deploy/events.json):look}" }',
    );
    write(
      'deploy/events.json',
      '{ "look": [{ "httpApi": "GET /look" }], "defaults": { "timeout": 9 } }',
    );
    const { functions } = read(`
service: shop
provider: \${file(./deploy/events.json):defaults}
functions:
  - \${file(deploy/buyers.yml)}
  - bill: { handler: a.bill, timeout: 3 }
`);
    expect(functions.map(({ name, timeoutMs }) => [name, timeoutMs])).toEqual([
      ['look', 9000],
      ['bill', 3000],
    ]);
    expect(functions[0]?.routes).toEqual([{ key: 'GET /look', functionName: 'look' }]);
  });

  it('that the stack has no use for are not read', () => {
    const text = 'functions: { a: { handler: a.b } }\ncustom: { a: "${file(deploy/none.yml)}" }';
    expect(read(text).functions).toHaveLength(1);
  });

  it.each([
    ['are missing', 'deploy/none.yml', 'names deploy/none.yml, which cannot be read'],
    ['are programs', 'deploy/a.js', 'YAML and JSON only, not deploy/a.js'],
    ['refer to themselves', 'deploy/loop.yml', 'deploy/loop.yml refers to itself'],
    ['are no YAML', 'deploy/broken.yml', 'deploy/broken.yml: '],
  ])('are named when they %s', (_, file, reason) => {
    write('deploy/loop.yml', 'a: "${file(deploy/loop.yml)}"');
    write('deploy/broken.yml', '{ a');
    expect(() => read(`functions: \${file(${file})}`)).toThrow(reason);
  });
});
