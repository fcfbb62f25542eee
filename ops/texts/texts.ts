/** In which language the tool speaks. */
import type { Environment } from '../../lib/runtime/environment.ts';
import { en, type Texts } from './en.ts';
import { zh } from './zh.ts';

const LANGUAGES: Readonly<Record<string, Texts>> = { en, zh };

/**
 * The texts of `--lang`, else of the shell's language, else English. Read before anything else, so
 * that what is wrong with the other words is said in it, too.
 */
export function chooseTexts(args: readonly string[], environment: Environment): Texts {
  const at = args.findIndex((arg) => /^--lang(?:=|$)/.test(arg));
  const given = at < 0 ? undefined : (args[at]?.split('=')[1] ?? args[at + 1]);
  const shell = environment['LC_ALL'] || environment['LC_MESSAGES'] || environment['LANG'] || '';
  return LANGUAGES[given ?? ''] ?? (/^zh/i.test(shell) ? zh : en);
}
