/** One clock for the whole stack: the functions' `Date`, the simulator's clock, then the schedule. */
import { type LocalClock, installClock } from './clock.ts';
import { readJsonFile, START_FRESH, writeJsonFile } from '../json-file.ts';

/** As far as a `Date` reaches, with room to move on. */
const MAX_OFFSET_SECONDS = 1e12;

/** What time it is in the stack. */
export interface ClockReading {
  /** ISO 8601. */
  now: string;
  /** How far ahead of the machine's own clock. */
  offsetSeconds: number;
}

export interface StackClock {
  read(): ClockReading;
  /** Moves both sides, or, when the simulator refuses, neither. One move at a time. */
  advance(seconds: number): Promise<ClockReading>;
  close(): void;
}

/**
 * Installs the clock where the last start left it. `follow` runs after every move, with both sides
 * moved, before the move is answered.
 */
export async function openStackClock(
  file: string,
  simulatorUrl: string,
  follow: () => Promise<void>,
): Promise<StackClock> {
  const clock = installClock(readOffset(file));
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
    await catchUp(clock, simulatorUrl);
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

function readOffset(file: string): number {
  const kept = readJsonFile(file) as { offsetSeconds?: unknown } | null | undefined;
  const seconds = kept === undefined ? 0 : kept?.offsetSeconds;
  if (typeof seconds === 'number' && Math.abs(seconds) <= MAX_OFFSET_SECONDS) {
    return seconds;
  }
  throw new Error(`${file} has no number of seconds in "offsetSeconds": remove it, ${START_FRESH}`);
}

/**
 * Brings the side that is behind up to the other one: after a kill between the two halves of a
 * move, a reset of the simulator, or a move of its clock alone.
 */
async function catchUp(clock: LocalClock, simulatorUrl: string): Promise<void> {
  const there = await moveSimulator(simulatorUrl, 0);
  const behind = Math.round((clock.now().getTime() - there) / 1000);
  if (behind > 0) {
    await moveSimulator(simulatorUrl, behind);
  }
  if (behind < 0) {
    clock.advance(-behind);
  }
}

/** Answers what time it then is at the simulator, in milliseconds since the epoch. */
async function moveSimulator(url: string, advanceSeconds: number): Promise<number> {
  const answer = await fetch(`${url}/_simulator/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advanceSeconds }),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`the simulator did not move its clock (${answer.status}): ${text}`);
  }
  const { now } = JSON.parse(text) as { now: string };
  return Date.parse(now);
}
