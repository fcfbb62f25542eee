/** The consumers of docs/events.md listen to what is published, and may do what they are told to. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EVENT_SOURCE } from '../../lib/events/events.ts';
import { EVENT_SCHEMAS, problemsOf } from '../support/event-schemas.ts';
import { fencesOf } from './markdown.ts';
import { readProjectFile } from './project.ts';

type Node = Readonly<Record<string, unknown>>;

interface Resource {
  readonly Type: string;
  readonly Properties: Node;
}

/** What a rule's pattern asks for: lists of values, by field. */
type Pattern = Readonly<Record<string, unknown>>;

/** The blocks of a page in one language. */
const blocksOf = (page: string, language: string) =>
  fencesOf(readProjectFile(page))
    .filter((fence) => fence.language === language)
    .map(({ text }) => text);

const PAGES = ['docs/events.md', 'docs/events.zh-CN.md'];
const [service, ...templates] = blocksOf('docs/events.md', 'yaml').map(
  (text) => parse(text) as Node,
);

const resources: Readonly<Record<string, Resource>> = Object.assign(
  {},
  ...templates.map(({ Resources }) => Resources as object),
);
const ofType = (type: string) =>
  Object.entries(resources).filter(([, { Type }]) => Type === `AWS::${type}`);

const lambdaRules = Object.values((service?.['functions'] ?? {}) as Record<string, Node>).flatMap(
  ({ events }) =>
    (events as { eventBridge: { eventBus: string; pattern: Pattern } }[]).map(
      ({ eventBridge }) => eventBridge,
    ),
);

const rules = [
  ...lambdaRules.map(({ eventBus, pattern }) => ['the function', eventBus, pattern] as const),
  ...ofType('Events::Rule').map(
    ([name, { Properties }]) =>
      [name, Properties['EventBusName'] as string, Properties['EventPattern'] as Pattern] as const,
  ),
];

/** EventBridge's own rule for exact values: each field named has one of the values. */
function isMatched(pattern: Pattern, event: Node): boolean {
  return Object.entries(pattern).every(([name, wanted]) =>
    Array.isArray(wanted)
      ? wanted.includes(event[name])
      : isMatched(wanted as Pattern, (event[name] ?? {}) as Node),
  );
}

/** Every example of every schema, as EventBridge has it. */
const samples = [...EVENT_SCHEMAS].flatMap(([detailType, { examples }]) =>
  examples.map((detail) => ({ source: EVENT_SOURCE, 'detail-type': detailType, detail })),
);

describe('the consumers to copy', () => {
  test('are a function, a queue and an endpoint', () => {
    expect(rules.map(([name]) => name)).toEqual(['the function', 'MoneyRule', 'ShopRule']);
  });

  test.each(rules)(
    '%s listens on the bus of a stage, to types that there are',
    (_, bus, pattern) => {
      expect(bus).toBe('wechatpay-serverless-production');
      for (const type of pattern['detail-type'] as string[]) {
        const matched = samples.filter(
          (sample) => sample['detail-type'] === type && isMatched(pattern, sample),
        );
        expect(matched, type).not.toEqual([]);
      }
    },
  );

  test.each(rules)('%s hears nothing else', (_, _bus, pattern) => {
    const types = pattern['detail-type'] as string[];

    for (const sample of samples.filter((each) => !types.includes(each['detail-type']))) {
      expect(isMatched(pattern, sample)).toBe(false);
    }
    for (const sample of samples) {
      expect(isMatched(pattern, { ...sample, source: 'aws.s3' })).toBe(false);
    }
  });

  test('the function that delivers hears nothing of what is not to be shipped', () => {
    const paid = samples.find((sample) => sample['detail-type'] === 'Order Paid');
    const virtual = { ...paid, detail: { ...paid?.detail, kind: 'virtual' } };

    expect(isMatched(lambdaRules[0]?.pattern ?? {}, virtual)).toBe(false);
  });

  test('name nothing that is not there', () => {
    const named = [...JSON.stringify(resources).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)];

    expect(named.length).toBeGreaterThan(10);
    for (const [, name = ''] of named) {
      expect(Object.keys(resources)).toContain(name);
    }
  });

  test('keep what could not be delivered in a queue that EventBridge may write to', () => {
    const policies = JSON.stringify(ofType('SQS::QueuePolicy'));

    for (const [name, { Properties }] of ofType('Events::Rule')) {
      const [target] = Properties['Targets'] as { DeadLetterConfig: { Arn: object } }[];
      expect(policies).toContain(JSON.stringify(target?.DeadLetterConfig.Arn));
      expect(policies).toContain(`{"aws:SourceArn":{"Fn::GetAtt":["${name}","Arn"]}}`);
    }
  });

  test('are the same in both languages', () => {
    for (const language of ['yaml', 'js', 'sh']) {
      const [english, chinese] = PAGES.map((page) => blocksOf(page, language));
      expect(english?.length).toBeGreaterThan(0);
      expect(chinese).toEqual(english);
    }
  });
});

test.each(PAGES)('the event that %s shows is one', (page) => {
  const [text = ''] = blocksOf(page, 'json');
  const event = JSON.parse(text) as Node;

  expect(event['source']).toBe(EVENT_SOURCE);
  expect(problemsOf(String(event['detail-type']), event['detail'])).toEqual([]);
});

test.each(PAGES)('%s lists every event with its schema', (page) => {
  const listed = [
    ...readProjectFile(page).matchAll(/^\| \[`([^`]+)`\]\(events\/([\w-]+)\.schema\.json\)/gm),
  ];

  expect(listed.map(([, type = '']) => type).toSorted()).toEqual(
    [...EVENT_SCHEMAS.keys()].toSorted(),
  );
  for (const [, type = '', file] of listed) {
    expect(file).toBe(type.toLowerCase().replaceAll(' ', '-'));
  }
});
