// The command line: mytx <verb>. Reads arguments and environment, calls one function, prints, and sets the exit code.
// Holds no SQL and takes no decisions; each verb is a file of its own.

import { Command, CommanderError, Option } from 'commander';
import packageFile from '../package.json' with { type: 'json' };
import { encrypt, parseRowsPerSecond } from './encrypt.ts';
import { erasePerson } from './erase.ts';
import { exitCodeHelp, exitCodes } from './exit-codes.ts';
import { exportPerson } from './export.ts';
import { health } from './health.ts';
import { importPerson } from './import.ts';
import { init } from './init.ts';
import { migrate } from './migrate.ts';
import { reset } from './reset.ts';
import { restore } from './restore.ts';
import { printEnvelope } from './run-verb.ts';
import { parseMessages, seed } from './seed.ts';
import { snapshot } from './snapshot.ts';
import { start } from './start.ts';

const jsonFlag = ['--json', 'print one JSON envelope on stdout, and all text on stderr'] as const;

function buildProgram(): Command {
  // Settings come before the verbs, which inherit them.
  const program = new Command('mytx')
    .description(
      'The PostgreSQL data layer of an AI assistant. POSTGRES_URL (environment or .env.local) names the server; without it the embedded database in .mytx/ is used.',
    )
    .version(packageFile.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withoutArguments(text)) })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('before', examples('npx mytx start', 'npx mytx start --once', 'npx mytx migrate'))
    .addHelpText('afterAll', `\n${exitCodeHelp}`);
  program
    .command('init')
    .description('add the data layer to the application in this folder: says which files, and asks')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx init', 'npx mytx init --dry-run', 'npx mytx init --yes --json'))
    .action(init);
  program
    .command('start')
    .description('open the database, migrate it, load a sample assistant on the first run, and stay up')
    .option('--once', 'the same, then close and exit 0')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx start', 'npx mytx start --once', 'npx mytx start --once --json'))
    .action(start);
  program
    .command('seed')
    .description('load the sample assistant into a database without users, with as many messages as are wanted')
    .option('--messages <count>', 'how many messages in all; 2,500 unless given', parseMessages)
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx seed', 'npx mytx seed --messages 1000000', 'npx mytx seed --json'))
    .action(seed);
  program
    .command('migrate')
    .description('apply the pending migrations, to a server or to the embedded database')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx migrate', 'npx mytx migrate --json'))
    .action(migrate);
  program
    .command('reset')
    .description('drop every table and apply the migrations anew; refused outside of development')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx reset', 'npx mytx reset --json'))
    .action(reset);
  program
    .command('health')
    .description('say how the database is, and whether its schema is up to date; changes nothing')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx health', 'npx mytx health --json'))
    .action(health);
  program
    .command('snapshot')
    .description('save the embedded database now, beside the snapshots that are taken by themselves')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx snapshot', 'npx mytx snapshot --json'))
    .action(snapshot);
  program
    .command('restore')
    .description('put a snapshot into the place of the embedded database, which is kept beside it')
    .argument('[name]', 'a name, the beginning of one, or latest; without it the snapshots are listed')
    .option('--list', 'list the snapshots, after reading each')
    .option('--yes', 'do not ask')
    .option(...jsonFlag)
    .addHelpText(
      'before',
      examples('npx mytx restore --list', 'npx mytx restore latest', 'npx mytx restore 2026-10-08T12 --yes --json'),
    )
    .action(restore);
  program
    .command('encrypt')
    .description(
      'encrypt with the current key what is encrypted with another one, or not yet; may be stopped and run again',
    )
    .option('--dry-run', 'say how much there is to do, and do nothing')
    .option('--rows-per-second <count>', 'write so many rows in a second at most', parseRowsPerSecond)
    .option(...jsonFlag)
    .addHelpText(
      'before',
      examples('npx mytx encrypt --dry-run', 'npx mytx encrypt', 'npx mytx encrypt --rows-per-second 500 --json'),
    )
    .action(encrypt);
  program
    .command('export')
    .description('write everything of a person into a file: to answer them, or to import it elsewhere')
    .argument('<user>', 'the id or the e-mail address')
    .option('--output <file>', 'where to; person-<id>.jsonl unless given')
    .addOption(new Option('--stdout', 'print the lines on stdout instead').conflicts(['json', 'output']))
    .option('--include-secrets', 'the hash of the password and the digests of API keys too: to move a person')
    .option(...jsonFlag)
    .addHelpText(
      'before',
      examples(
        'npx mytx export dana@example.com',
        'npx mytx export dana@example.com --include-secrets --output dana.jsonl',
        'npx mytx export 0198c5a2-7b1e-7c3a-9f00-3d2b6a41e8f5 --stdout | gzip > person.jsonl.gz',
      ),
    )
    .action(exportPerson);
  program
    .command('import')
    .description(
      'write a person from a file of mytx export into this database, where they are not yet: all, or nothing',
    )
    .argument('<file>', 'the file, or - for stdin')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx import dana.jsonl', 'gunzip -c person.jsonl.gz | npx mytx import -'))
    .action(importPerson);
  program
    .command('erase')
    .description('delete everything of a person; that it was done stays on record')
    .argument('<user>', 'the id or the e-mail address')
    .option('--yes', 'do not ask')
    .option(...jsonFlag)
    .addHelpText('before', examples('npx mytx erase dana@example.com', 'npx mytx erase dana@example.com --yes --json'))
    .action(erasePerson);
  return program;
}

/** A mistyped argument is quoted, and may be a URL with its password: of a value and of what looks like one nothing is said. */
function withoutArguments(text: string): string {
  return text.replaceAll(/'(--?[\w-]+=)[^']*'/g, "'$1…'").replaceAll(/'[^'\s]*[:@/][^']*'/g, "'…'");
}

function examples(...commands: string[]): string {
  return `Examples:\n${commands.map((command) => `  ${command}`).join('\n')}\n`;
}

async function main(argv: readonly string[]): Promise<void> {
  // `mytx start | head` closes the pipe early: the text is lost, the work goes on.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await buildProgram().parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) endAsUsageError(error, argv.includes('--json'));
  }
}

/** Commander has written the text, on stderr. */
function endAsUsageError({ message }: CommanderError, json: boolean): void {
  process.exitCode = exitCodes.needsAnswer;
  if (!json) return;
  const error = { code: 'USAGE', message: withoutArguments(message).replace(/^error: /, ''), hint: 'npx mytx --help' };
  printEnvelope({ ok: false, command: null, target: null, data: null, warnings: [], error });
}

await main(process.argv);
