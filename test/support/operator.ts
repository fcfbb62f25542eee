/** An operator at a terminal that keeps what it shows. */
import { runOps } from '../../ops/run.ts';
import type { Terminal } from '../../ops/terminal.ts';

export interface Seen {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What was asked, in order. */
  readonly questions: readonly string[];
  /** How far it said that it had got. */
  readonly progress: readonly number[];
}

/**
 * Types a command.
 *
 * @param answer what is said to every question; absent: nobody is there to be asked.
 */
export async function operate(
  args: readonly string[],
  environment: Terminal['environment'] = {},
  answer?: 'yes' | 'no',
): Promise<Seen> {
  const [out, err, questions, progress]: [string[], string[], string[], number[]] = [
    [],
    [],
    [],
    [],
  ];
  const code = await runOps(args, {
    environment,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    ask:
      answer &&
      (async (question) => {
        questions.push(question);
        return answer;
      }),
    startProgress: () => ({ update: (done) => progress.push(done), stop: () => undefined }),
  });
  return { code, out: out.join('\n'), err: err.join('\n'), questions, progress };
}

/** What a command says to a program. */
export const jsonOf = ({ out }: Seen): unknown => JSON.parse(out);
