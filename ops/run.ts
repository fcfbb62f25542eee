/** From words on a command line to an exit code: 0 good, 1 found wrong, 2 used wrong. */
import { Command, CommanderError, Option } from 'commander';
import { addBill } from './commands/bill.ts';
import { addEvents } from './commands/events.ts';
import { addNotifications } from './commands/notifications.ts';
import type { Perform } from './command.ts';
import { UsageError } from './errors.ts';
import type { Result } from './output.ts';
import { openTarget, type TargetOptions } from './targets/choose.ts';
import type { Terminal } from './terminal.ts';
import type { Texts } from './texts/en.ts';
import { chooseTexts } from './texts/texts.ts';

interface CommonOptions extends TargetOptions {
  readonly json?: true;
  readonly yes?: true;
}

const GROUPS = [addBill, addEvents, addNotifications];

/** Runs one command; whatever goes wrong is said, and told by the exit code. */
export async function runOps(args: readonly string[], terminal: Terminal): Promise<number> {
  const say = chooseTexts(args, terminal.environment);
  let result: Result | undefined;
  const perform: Perform = (command, work) => {
    command.action(async () => {
      const options = command.optsWithGlobals<CommonOptions>();
      const target = await openTarget(options, terminal, say);
      try {
        const context = { say, terminal, target, isAgreed: options.yes ?? false };
        result = await work(context, options as never, ...(command.args as never));
      } finally {
        target.close();
      }
    });
  };
  const isJson = args.includes('--json');
  try {
    await buildProgram(terminal, say, perform).parseAsync(args, { from: 'user' });
  } catch (error) {
    return fail(error, isJson, terminal, say);
  }
  if (result) {
    terminal.out(isJson ? JSON.stringify(result.data, undefined, 2) : result.lines.join('\n'));
  }
  return result === undefined || result.isGood ? 0 : 1;
}

function buildProgram(terminal: Terminal, say: Texts, perform: Perform): Command {
  const program = speakLike(new Command('npm run ops --'), terminal, say)
    .description(say.about)
    .option('--local', say.local)
    .option('--stage <name>', say.stage)
    .option('--region <region>', say.region)
    .option('--json', say.json)
    .option('--yes', say.yes)
    .addOption(new Option('--lang <language>', say.lang).choices(['en', 'zh']));
  for (const add of GROUPS) {
    add(program, say, perform);
  }
  return program;
}

/** Help in the language of the tool, and nothing ends the process; the commands below inherit it. */
function speakLike(command: Command, { out, err }: Terminal, say: Texts): Command {
  const titles = new Map([
    ['Usage:', say.usage],
    ['Arguments:', say.arguments],
    ['Options:', say.options],
    ['Global Options:', say.globalOptions],
    ['Commands:', say.commands],
  ]);
  return command
    .exitOverride()
    .helpOption('--help', say.help)
    .helpCommand('help [command]', say.helpCommand)
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => titles.get(title) ?? title,
    })
    .configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      writeErr: (text) => err(text.trimEnd()),
      outputError: () => undefined,
    });
}

function fail(error: unknown, isJson: boolean, terminal: Terminal, say: Texts): number {
  if (error instanceof CommanderError && error.exitCode === 0) {
    return 0;
  }
  const isUsage = error instanceof UsageError || error instanceof CommanderError;
  const message =
    error instanceof CommanderError ? describeRefusal(error, say) : (error as Error).message;
  terminal.err(message);
  if (isJson) {
    terminal.out(JSON.stringify({ error: message }));
  }
  return isUsage ? 2 : 1;
}

/** What commander refuses, in the language of the tool; what is rare stays in its own words. */
function describeRefusal({ code, message }: CommanderError, say: Texts): string {
  const what = /'([^']*)'/.exec(message)?.[1] ?? '';
  const known: Readonly<Record<string, string>> = {
    'commander.unknownOption': say.unknownOption(what),
    'commander.unknownCommand': say.unknownCommand(what),
    'commander.missingArgument': say.missingArgument(what),
    'commander.optionMissingArgument': say.missingValue(what),
    'commander.excessArguments': say.tooManyArguments,
  };
  const words = known[code] ?? message.replace(/^error: /, '');
  return code === 'commander.help' ? say.whichCommand : `${words}; ${say.seeHelp}`;
}
