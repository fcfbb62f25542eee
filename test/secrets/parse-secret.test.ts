import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { parseSecret } from '../../lib/secrets/parse-secret.ts';

const schema = v.object({ mchid: v.string(), key: v.string() });

const refusalOf = (text: string): ConfigError => {
  try {
    parseSecret('shop/merchant', text, schema, { key: '32 letters' });
  } catch (error) {
    if (error instanceof ConfigError) {
      return error;
    }
    throw error;
  }
  throw new Error('the secret was taken');
};

describe('a secret that is no JSON', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'it is empty, or bytes in place of a text'],
    ['a blank', ' \n', 'it is empty, or bytes in place of a text'],
    ['a key alone', 's3cret', 'it does not begin with { (line 1, column 1)'],
    [
      'lines of name and value',
      'mchid=1\nkey=s3cret',
      'it does not begin with { (line 1, column 1)',
    ],
    ['half of it', '{"mchid":"1",\n"key":"s3cret', 'it ends too early (line 2, column 14)'],
    ['all but the last brace', '{"key":"s3cret"', 'it ends too early (line 1, column 16)'],
    [
      'a file pasted into a text',
      '{"mchid":"1",\n"key":"-----BEGIN\ns3cret"}',
      'a line break inside a text, where \\n belongs (line 2, column 18)',
    ],
    [
      'single quotes',
      "{'key':'s3cret'}",
      'quotes that are not plain double quotes (line 1, column 2)',
    ],
    [
      'quotes of a text editor',
      '{“key”:“s3cret”}',
      'quotes that are not plain double quotes (line 1, column 2)',
    ],
    ['a full-width colon', '{"key"："s3cret"}', 'a full-width sign (line 1, column 7)'],
    ['a comma too many', '{"key":"s3cret",\n}', 'a comma after the last field (line 2, column 1)'],
    [
      'a comma too few',
      '{"key":"s3cret"\n"mchid":"1"}',
      'something else than JSON allows (line 2, column 1)',
    ],
    ['a byte-order mark', '\ufeff{"key":"s3cret"}', 'it begins with a byte-order mark'],
  ])('says where and perhaps why: %s', (_, text, fault) => {
    const error = refusalOf(text);

    expect(error.message).toBe(`the secret shop/merchant is not JSON: ${fault}`);
    expect(error.parameters).toEqual({ secret: 'shop/merchant' });
    expect(error.cause).toBeUndefined();
    expect(String(error.stack)).not.toContain('s3cret');
  });
});

describe('a secret that is JSON of another kind', () => {
  test.each<[string, string]>([
    [
      '"{\\"key\\":\\"s3cret\\"}"',
      'is a text where an object belongs: {"name": "value", …}; the object is not put in quotes itself',
    ],
    ['[{"Key":"key","Value":"s3cret"}]', 'is a list where an object belongs: {"name": "value", …}'],
    ['null', 'is null where an object belongs: {"name": "value", …}'],
    ['7', 'is a number where an object belongs: {"name": "value", …}'],
    ['true', 'is a boolean where an object belongs: {"name": "value", …}'],
  ])('says so: %s', (text, fault) => {
    expect(refusalOf(text).message).toBe(`the secret shop/merchant ${fault}`);
  });
});

describe('the fields of a secret', () => {
  test('are each named with what is wrong, and with the form that is wanted if it is known', () => {
    expect(refusalOf('{"key":{"s3cret":1}}').message).toBe(
      'the secret shop/merchant has a missing or malformed field: mchid, key (mchid is missing. key is an object, not a text in quotes; wanted: 32 letters)',
    );
  });

  test('are read', () => {
    expect(parseSecret('s', '{"mchid":"1","key":"k"}', schema, {})).toEqual({
      mchid: '1',
      key: 'k',
    });
  });
});
