/** The phone's time is the stack's time: its `Date` runs ahead of the browser's by the same offset. */

const RealDate = Date;
let offsetMs = 0;
const now = () => RealDate.now() + offsetMs;

export function moveDate(newOffsetMs: number): void {
  offsetMs = newOffsetMs;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget) as object,
  get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
});
