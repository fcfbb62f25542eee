/** What WeChat puts in front of every file of a mini-program. */

export interface MiniProgramFiles {
  readonly text: Record<string, string>;
  readonly modules: Record<
    string,
    (require: (path: string) => unknown, module: { exports: unknown }, exports: unknown) => void
  >;
}

export type WxOptions = Record<string, unknown>;
export type Wx = Record<string, unknown>;

/** The device that a mini-program runs on. */
export interface Phone {
  readonly buyer: string;
  readonly language: 'zh_CN' | 'en';
  isOnline(): boolean;
}

declare global {
  var miniProgramFiles: MiniProgramFiles;
  var wx: Wx;
  var App: (options: object) => void;
  var Page: (options: object) => void;
  var getApp: () => object | undefined;
  var getCurrentPages: () => object[];
}

globalThis.miniProgramFiles = { text: {}, modules: {} };
