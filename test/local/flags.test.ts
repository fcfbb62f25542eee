import { describe, expect, it } from 'vitest';
import { readFlags } from '../../local/flags.ts';

const read = (args: string[], environment: Record<string, string> = {}) =>
  readFlags(['fresh', 'help', 'devtools-buyer'], args, environment);

describe('the flags of npm start', () => {
  it('are those after --', () => {
    expect(read([])).toEqual({});
    expect(read(['--fresh', '--api', 'v3'])).toEqual({ fresh: true, api: 'v3' });
    expect(read(['--devtools-buyer', 'alice'])).toEqual({ 'devtools-buyer': 'alice' });
  });

  // What npm 11 passes on for: --fresh; --no-fresh; --api v3; --api=v3; both.
  it.each<[string[], Record<string, string>, object]>([
    [[], { npm_config_fresh: 'true' }, { fresh: true }],
    [[], { npm_config_fresh: '' }, {}],
    [['v3'], { npm_config_api: 'true' }, { api: 'v3' }],
    [[], { npm_config_api: 'v3' }, { api: 'v3' }],
    [['v3'], { npm_config_api: 'true', npm_config_fresh: 'true' }, { api: 'v3', fresh: true }],
    [['alice'], { npm_config_devtools_buyer: 'true' }, { 'devtools-buyer': 'alice' }],
    [[], { npm_config_devtools_buyer: 'alice' }, { 'devtools-buyer': 'alice' }],
    [
      ['v3', 'alice'],
      { npm_config_devtools_buyer: 'true', npm_config_api: 'true' },
      { 'devtools-buyer': 'alice', api: 'v3' },
    ],
    [
      ['alice', 'v3'],
      { npm_config_devtools_buyer: 'true', npm_config_api: 'true' },
      { 'devtools-buyer': 'alice', api: 'v3' },
    ],
  ])('are also those that npm took for its own: %j %j', (args, environment, flags) => {
    expect(read(args, environment)).toEqual(flags);
  });

  it('after -- count more than those before it', () => {
    expect(read(['--api', 'v2'], { npm_config_api: 'v3' })).toEqual({ api: 'v2' });
    expect(read(['v3', '--api', 'v2'], { npm_config_api: 'true' })).toEqual({ api: 'v2' });
  });

  it.each<[string[], Record<string, string>, string]>([
    [['--frehs'], {}, "Unknown option '--frehs'"],
    [['v3'], {}, "Unexpected argument 'v3'"],
    [['--api', 'v4'], {}, '--api takes v2 or v3'],
    [['--devtools-buyer', ' '], {}, '--devtools-buyer takes a name of 1 to 64 characters'],
    [['v4'], { npm_config_api: 'true' }, '--api takes v2 or v3'],
    [[], { npm_config_api: 'true' }, "Option '--api <value>' argument missing"],
  ])('are refused with a reason: %j %j', (args, environment, reason) => {
    expect(() => read(args, environment)).toThrow(reason);
    expect(() => read(args, environment)).toThrow(
      'There are --api v2|v3, --fresh, --help, --devtools-buyer NAME.',
    );
  });

  const readAll = (args: string[], environment: Record<string, string> = {}) =>
    readFlags(['fresh', 'verification', 'help'], args, environment);

  it.each<[string[], Record<string, string>, object]>([
    [['--verification', 'switching'], {}, { verification: 'switching' }],
    [[], { npm_config_verification: 'certificate' }, { verification: 'certificate' }],
    [['switching'], { npm_config_verification: 'true' }, { verification: 'switching' }],
    [
      ['v3', 'public-key'],
      { npm_config_api: 'true', npm_config_verification: 'true' },
      { api: 'v3', verification: 'public-key' },
    ],
    [
      ['public-key', 'v3'],
      { npm_config_api: 'true', npm_config_verification: 'true', npm_config_fresh: 'true' },
      { api: 'v3', verification: 'public-key', fresh: true },
    ],
  ])('name the keys that WeChat signs with: %j %j', (args, environment, flags) => {
    expect(readAll(args, environment)).toEqual(flags);
  });

  it.each<[string[], Record<string, string>]>([
    [['--verification', 'key'], {}],
    [['key'], { npm_config_verification: 'true' }],
  ])('name no others: %j %j', (args, environment) => {
    expect(() => readAll(args, environment)).toThrow(
      '--verification takes certificate or switching or public-key. There are --api v2|v3',
    );
  });

  it('that npm start alone knows leave npm run demo as it is', () => {
    expect(readFlags([], [], { npm_config_fresh: 'true' })).toEqual({});
  });
});
