/** Which processes run: by `ps`, or by `/proc` on a Linux that has no `ps`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describeProcess } from '../../local/process/running-process.ts';

export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** Every process of this machine but `ps` itself. */
export function listProcesses(): RunningProcess[] {
  const { error, stdout, pid } = spawnSync('ps', ['-axww', '-o', 'pid=,ppid=,command='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return error === undefined
    ? stdout
        .split('\n')
        .flatMap(parseLine)
        .filter((one) => one.pid !== pid)
    : readProc();
}

function parseLine(line: string): RunningProcess[] {
  const [, pid, parentPid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
  return command === undefined ? [] : [{ pid: Number(pid), parentPid: Number(parentPid), command }];
}

function readProc(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const found = describeProcess(Number(name));
      return found === undefined ? [] : [{ pid: Number(name), ...found }];
    });
}

/** What a process started, and what that started, while all of them run. */
export function listDescendants(pid: number, among = listProcesses()): RunningProcess[] {
  return among
    .filter(({ parentPid }) => parentPid === pid)
    .flatMap((child) => [child, ...listDescendants(child.pid, among)]);
}
