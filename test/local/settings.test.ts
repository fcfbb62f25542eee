import { describe, expect, test } from 'vitest';
import { explainFailure } from '../../local/explain-failure.ts';
import { assertFunctionSettings, readDataDir, readPorts } from '../../local/settings.ts';

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('the ports of a stack', () => {
  test('are 3000 and 3900, those of the environment, or those that are given', () => {
    expect(readPorts({}, {})).toEqual({ port: 3000, simulatorPort: 3900 });
    const environment = { PORT: '81', SIMULATOR_PORT: '82' };
    expect(readPorts({}, environment)).toEqual({ port: 81, simulatorPort: 82 });
    expect(readPorts({ port: 0, simulatorPort: 0 }, environment)).toEqual({
      port: 0,
      simulatorPort: 0,
    });
  });

  test('are refused when both are the same', () => {
    expect(() => readPorts({}, { PORT: '3900' })).toThrow(
      'PORT and SIMULATOR_PORT are both 3900: give each its own, such as SIMULATOR_PORT=3901',
    );
  });
});

test('an empty LOCAL_DATA_DIR is none, and not the current directory', () => {
  expect(readDataDir({ LOCAL_DATA_DIR: '' })).toBe('.local');
  expect(readDataDir({ LOCAL_DATA_DIR: 'x' })).toBe('x');
});

describe("the functions' own settings", () => {
  test.each([
    ['WECHAT_PAY_API_VERSION', 'v4', 'WECHAT_PAY_API_VERSION must be v2 or v3'],
    ['WECHAT_PAY_SIGN_TYPE', 'SHA1', 'WECHAT_PAY_SIGN_TYPE must be HMAC-SHA256 or MD5'],
    ['ORDER_LIFETIME_SECONDS', '1', 'ORDER_LIFETIME_SECONDS must be a whole number from'],
    ['ORDER_OPTIONS', '{', 'ORDER_OPTIONS is not usable'],
  ])('%s=%s is refused before anything starts', (name, value, reason) => {
    const text = explainFailure(thrown(() => assertFunctionSettings({ [name]: value }, undefined)));

    expect(text).toContain('a variable of the functions is wrong: mend it or unset it');
    expect(text).toContain(`because: ${reason}`);
  });

  test('that the stack gives them itself are not looked at', () => {
    expect(() =>
      assertFunctionSettings({ STAGE: 'x', WEIXIN_BASE_URLS: 'nonsense' }, 'v3'),
    ).not.toThrow();
    expect(() => assertFunctionSettings({ WECHAT_PAY_API_VERSION: 'v4' }, 'v3')).not.toThrow();
  });
});
