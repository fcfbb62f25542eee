import { describe, expect, it } from 'vitest';
import { compileFilters } from '../../../../local/aws/event-source/filter.ts';

/** The examples of Lambda's own guide, and the pattern that this project uses. */
const record = {
  eventName: 'MODIFY',
  dynamodb: {
    Keys: { PK: { S: 'ORDER#A1' } },
    NewImage: { factCount: { N: '2' }, empty: { NULL: true }, tags: ['a', 'b'], nothing: null },
  },
};
const fits = (pattern: unknown, of: unknown = record) => compileFilters([pattern])(of);
const ofFacts = {
  eventName: ['INSERT', 'MODIFY'],
  dynamodb: { NewImage: { factCount: { N: [{ exists: true }] } } },
};

describe('a filter of a stream', () => {
  it('lets facts through and nothing else', () => {
    expect(fits(ofFacts)).toBe(true);
    expect(fits(ofFacts, { ...record, eventName: 'INSERT' })).toBe(true);
    expect(fits(ofFacts, { ...record, eventName: 'REMOVE' })).toBe(false);
    expect(
      fits(ofFacts, { eventName: 'MODIFY', dynamodb: { NewImage: { checks: { N: '1' } } } }),
    ).toBe(false);
    expect(fits(ofFacts, { eventName: 'MODIFY', dynamodb: {} })).toBe(false);
  });

  it.each([
    ['an exact text', { eventName: ['MODIFY'] }, true],
    ['another text', { eventName: ['REMOVE'] }, false],
    ['null', { dynamodb: { NewImage: { nothing: [null] } } }, true],
    ['true', { dynamodb: { NewImage: { empty: { NULL: [true] } } } }, true],
    ['no number for a text', { dynamodb: { NewImage: { factCount: { N: [2] } } } }, false],
    ['a member of a list', { dynamodb: { NewImage: { tags: ['b'] } } }, true],
    ['a leaf that is not there', { dynamodb: { NewImage: { x: [{ exists: false }] } } }, true],
    ['a leaf that is there', { eventName: [{ exists: false }] }, false],
    ['no branch as a leaf', { dynamodb: { NewImage: [{ exists: true }] } }, false],
    ['a prefix', { dynamodb: { Keys: { PK: { S: [{ prefix: 'ORDER#' }] } } } }, true],
    ['another prefix', { dynamodb: { Keys: { PK: { S: [{ prefix: 'REFUND' }] } } } }, false],
    ['anything but another', { eventName: [{ 'anything-but': ['REMOVE', 'INSERT'] }] }, true],
    ['anything but this', { eventName: [{ 'anything-but': 'MODIFY' }] }, false],
    ['anything but, of nothing', { x: [{ 'anything-but': 'MODIFY' }] }, false],
    ['one of several rules', { eventName: ['X', { prefix: 'MOD' }] }, true],
    ['every field', { eventName: ['MODIFY'], x: ['y'] }, false],
  ])('knows %s', (_, pattern, expected) => {
    expect(fits(pattern)).toBe(expected);
  });

  it('passes what fits one of its patterns, and everything without any', () => {
    expect(compileFilters([{ eventName: ['X'] }, { eventName: ['MODIFY'] }])(record)).toBe(true);
    expect(compileFilters([])(record)).toBe(true);
  });

  it.each([
    [{ a: [{ numeric: ['>', 0] }] }, '{"numeric":[">",0]} at a'],
    [{ a: { b: [{ suffix: 'x' }] } }, '{"suffix":"x"} at a.b'],
    [{ a: [{ exists: 'true' }] }, '{"exists":"true"} at a'],
    [{ a: [{ exists: true, prefix: 'x' }] }, '{"exists":true,"prefix":"x"} at a'],
    [{ a: [{ 'anything-but': { prefix: 'x' } }] }, '"anything-but":{"prefix":"x"}} at a'],
    [{ a: { $or: [{ b: ['x'] }] } }, '$or at a.$or'],
    [{ a: 'x' }, 'must be an object, at a'],
    ['x', 'must be an object'],
  ])('refuses %j, which it does not know', (pattern, message) => {
    expect(() => compileFilters([pattern])).toThrow(message);
  });
});
