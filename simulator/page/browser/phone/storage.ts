/** WeChat's storage: each buyer's phone has its own, and it survives a restart of the app. */
import { asyncApi } from './async-api.ts';
import type { Wx } from './globals.ts';

export function openStorage(buyer: string): Wx {
  const prefix = `phone of ${buyer}: `;
  const read = (key: string): unknown => {
    const text = localStorage.getItem(prefix + key);
    return text === null ? '' : (JSON.parse(text) as { value: unknown }).value;
  };
  const write = (key: string, value: unknown) =>
    localStorage.setItem(prefix + key, JSON.stringify({ value }));
  const keys = () =>
    Object.keys(localStorage)
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  const remove = (key: string) => localStorage.removeItem(prefix + key);
  const clear = () => keys().forEach(remove);

  return {
    getStorageSync: read,
    setStorageSync: write,
    removeStorageSync: remove,
    clearStorageSync: clear,
    getStorageInfoSync: () => ({ keys: keys(), currentSize: 1, limitSize: 10_240 }),
    getStorage: asyncApi('getStorage', ({ key }) =>
      keys().includes(String(key))
        ? { ok: { data: read(String(key)) } }
        : { fail: 'data not found' },
    ),
    setStorage: asyncApi('setStorage', ({ key, data }) => {
      write(String(key), data);
      return { ok: {} };
    }),
    removeStorage: asyncApi('removeStorage', ({ key }) => {
      remove(String(key));
      return { ok: {} };
    }),
    clearStorage: asyncApi('clearStorage', () => {
      clear();
      return { ok: {} };
    }),
  };
}
