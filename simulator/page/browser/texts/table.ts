/** Texts by name, each in both languages. */
export type TextTable = Record<string, readonly [en: string, zh: string]>;
