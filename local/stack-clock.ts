/** One clock for the whole stack: the functions' `Date`, the simulator's clock, then the schedule. */
import { type LocalClock, installClock } from './clock.ts';
import type { ClockReading } from './control-api.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

export type StackClock = {
  read(): ClockReading;
  /** Moves both sides, or, when the simulator refuses, neither. One move at a time. */
  advance(seconds: number): Promise<ClockReading>;
  close(): void;
};

/**
 * Installs the clock where the last start left it. `follow` runs after every move, with both sides
 * moved, before the move is answered.
 */
export async function openStackClock(
  file: string,
  simulatorUrl: string,
  follow: () => Promise<void>,
): Promise<StackClock> {
  const kept = readJsonFile(file) as { offsetSeconds?: unknown } | undefined;
  const keptSeconds = Number(kept?.offsetSeconds ?? 0);
  const clock = installClock(Number.isFinite(keptSeconds) ? keptSeconds : 0);
  try {
    await catchUp(clock, simulatorUrl);
  } catch (error) {
    clock.uninstall();
    throw error;
  }
  const save = () => writeJsonFile(file, { offsetSeconds: clock.offsetSeconds() });
  save();

  const read = (): ClockReading => ({
    now: clock.now().toISOString(),
    offsetSeconds: clock.offsetSeconds(),
  });
  const move = async (seconds: number): Promise<ClockReading> => {
    clock.advance(seconds);
    try {
      await moveSimulator(simulatorUrl, seconds);
    } catch (error) {
      clock.advance(-seconds);
      throw error;
    }
    save();
    await follow();
    return read();
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    read,
    advance: (seconds) => {
      const moved = last.then(() => move(seconds));
      last = moved.catch(() => {});
      return moved;
    },
    close: () => clock.uninstall(),
  };
}

/** A kill between the two halves of a move leaves one side behind: bring it up to the other. */
async function catchUp(clock: LocalClock, simulatorUrl: string): Promise<void> {
  const there = await moveSimulator(simulatorUrl, 0);
  if (there === undefined) return;
  const behind = clock.offsetSeconds() - there;
  if (behind > 0) await moveSimulator(simulatorUrl, behind);
  else clock.advance(-behind);
}

/** Answers the simulator's offset in seconds, when it tells. */
async function moveSimulator(url: string, advanceSeconds: number): Promise<number | undefined> {
  const answer = await fetch(`${url}/_simulator/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advanceSeconds }),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`the simulator did not move its clock (${answer.status}): ${text}`);
  }
  const { offsetSeconds } = JSON.parse(text) as { offsetSeconds?: unknown };
  return typeof offsetSeconds === 'number' ? offsetSeconds : undefined;
}
