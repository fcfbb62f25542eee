/**
 * Login codes that the simulator never issued. WeChat's developer tools (微信开发者工具) ask WeChat
 * itself for theirs, so no local program can know them: the developer may choose who they stand for.
 */
import type { Service } from '../host/service.ts';

/** What the developer tools give out for a test appid (测试号), each time the same. */
const MOCK_CODE = 'the code is a mock one';

/** Why such a code is refused, and what to do. */
export const FOREIGN_CODE_ADVICE = {
  en: 'The simulator did not issue this login code (or was reset since): WeChat\'s developer tools send their own. To take those as a buyer, start with npm start -- --devtools-buyer alice or POST /_simulator/devtools-buyer {"user":"alice"}.',
  zh: '该登录 code 不是模拟器签发的（或签发后模拟器已被重置）：微信开发者工具发出的是微信自己的 code。要让模拟器把它当作某个买家，请用 npm start -- --devtools-buyer alice 启动，或 POST /_simulator/devtools-buyer {"user":"alice"}。',
} as const;

/**
 * Who logs in with a code that is not the simulator's: the developer's chosen buyer, or nobody. It
 * is used up like any other, but for the text that the developer tools repeat.
 */
export function takeForeignCode(
  { devtools, users }: Pick<Service, 'devtools' | 'users'>,
  code: string,
): string | undefined {
  const { buyer } = devtools;
  if (buyer !== undefined && code !== MOCK_CODE) {
    users.keepUsedCode(code, buyer);
  }
  return buyer;
}
