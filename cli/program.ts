// Every verb of the command line, with its arguments, flags and examples: the one place to add one. Its help, docs/cli.md
// and the completion in a shell are all made of this. A verb's module is imported in its action and nowhere else, so that
// `--help` loads no driver.

import { Option } from 'commander';
import packageFile from '../package.json' with { type: 'json' };
import { exitCodeHelp } from './exit-codes.ts';
import { parseMessages, parseMs, parseRowsPerSecond, parseSeconds, parseVersion } from './option-values.ts';
import { Verb } from './verb.ts';

const jsonFlag = ['--json', 'print one JSON envelope on stdout, and all text on stderr'] as const;
const yesFlag = ['--yes', 'do not ask'] as const;

/** A new program, in which nothing is parsed yet. What fails is thrown as a CommanderError. */
export function buildProgram(): Verb {
  // Settings come before the verbs, which inherit them.
  const program = new Verb('mytx')
    .description(
      'The PostgreSQL data layer of an AI assistant. POSTGRES_URL (environment or .env.local) names the server; without it the embedded database in .mytx/ is used.',
    )
    .version(packageFile.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withoutArguments(text)) })
    .showHelpAfterError('(--help shows what there is)')
    .example('npx mytx start', 'npx mytx start --once', 'npx mytx migrate')
    .addHelpText('afterAll', `\n${exitCodeHelp}`);
  addFirstVerbs(program.commandsGroup('Start here:'));
  addSchemaVerbs(program.commandsGroup('A schema change:'));
  addDatabaseVerbs(program.commandsGroup('The database:'));
  addPersonVerbs(program.commandsGroup('A person’s data:'));
  addEmbeddedVerbs(program.commandsGroup('The embedded database:'));
  addShellVerbs(program.commandsGroup('The command line itself:'));
  return program;
}

/** A mistyped argument is quoted, and may be a URL with its password: of a value and of what looks like one nothing is said. */
export function withoutArguments(text: string): string {
  return text.replaceAll(/'(--?[\w-]+=)[^']*'/g, "'$1…'").replaceAll(/'[^'\s]*[:@/][^']*'/g, "'…'");
}

function addFirstVerbs(program: Verb): void {
  program
    .command('init')
    .description('add the data layer to the application in this folder: says which files, and asks')
    .option(...yesFlag)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option(...jsonFlag)
    .example('npx mytx init', 'npx mytx init --dry-run', 'npx mytx init --yes --json')
    .explainedIn('installing.md')
    .action(async (flags) => (await import('./init.ts')).init(flags));
  program
    .command('start')
    .description('open the database, migrate it, load a sample assistant on the first run, and stay up')
    .option('--once', 'the same, then close and exit 0')
    .option(...jsonFlag)
    .example('npx mytx start', 'npx mytx start --once', 'npx mytx start --once --json')
    .explainedIn('overview.md')
    .action(async (flags) => (await import('./start.ts')).start(flags));
  program
    .command('seed')
    .description('load the sample assistant into a database without users, with as many messages as are wanted')
    .option('--messages <count>', 'how many messages in all; 2,500 unless given', parseMessages)
    .option(...jsonFlag)
    .example('npx mytx seed', 'npx mytx seed --messages 1000000', 'npx mytx seed --json')
    .explainedIn('overview.md')
    .action(async (flags) => (await import('./seed.ts')).seed(flags));
}

const configFlag = ['--config <file>', 'the Drizzle configuration; looked for from here upward unless given'] as const;
const environmentFlag = ['--environment <name>', 'an environment of mytx.config.ts'] as const;
const urlFlag = ['--url <url>', 'the database, instead of what configuration and variables say'] as const;

const targetFlag = [
  '--target <version>',
  'the oldest PostgreSQL that has to run it, 15 to 18; 15 unless given',
  parseVersion,
] as const;

function addSchemaVerbs(program: Verb): void {
  program
    .command('generate')
    .description(
      'generate a migration by the project’s own drizzle-kit, and rewrite it so that no statement stops readers or writers',
    )
    .option('--name <name>', 'the end of the file’s name, instead of two words by chance')
    .option('--custom', 'an empty file, for SQL by hand')
    .option('--rename <old:new...>', 'what was renamed: users.name:users.full_name, or users:people')
    .option('--create <names...>', 'what is new, although something else went: users.full_name')
    .option('--answers <file>', 'a file of such answers: rename users.name:users.full_name, one on each line')
    .option('--no-rewrite', 'leave what drizzle-kit writes')
    .option(...targetFlag)
    .option(...configFlag)
    .option(...jsonFlag)
    .example(
      'npx mytx generate --name full_name',
      'npx mytx generate --rename users.name:users.full_name',
      'npx mytx generate --target 18 --json',
    )
    .explainedIn('zero-downtime.md')
    .action(async (flags) => (await import('./generate.ts')).generate(flags));
  program
    .command('rewrite')
    .description('rewrite a migration that is there already and not applied, as generate does it')
    .argument('<file>', 'the SQL file')
    .option(...targetFlag)
    .option(...configFlag)
    .option(...environmentFlag)
    .option(...urlFlag)
    .option(...jsonFlag)
    .example('npx mytx rewrite drizzle/0007_orders.sql', 'npx mytx rewrite drizzle/0007_orders.sql --target 18')
    .explainedIn('zero-downtime.md')
    .action(async (file, flags) => (await import('./rewrite.ts')).rewrite(file, flags));
  program
    .command('status')
    .description(
      'say which migrations of a Drizzle project a database has; changes nothing. Exit code 2: some are pending',
    )
    .option(...configFlag)
    .option(...environmentFlag)
    .option(...urlFlag)
    .option(...jsonFlag)
    .example('npx mytx status', 'npx mytx status --environment production', 'npx mytx status --json')
    .explainedIn('deploying.md')
    .action(async (flags) => (await import('./status.ts')).status(flags));
  program
    .command('plan')
    .description(
      'say what a deploy would do: each statement with its locks, an estimate of its time, and the risk; changes nothing. Exit code 2: something is pending',
    )
    .option(...configFlag)
    .option(...environmentFlag)
    .option(...urlFlag)
    .option(...jsonFlag)
    .example('npx mytx plan', 'npx mytx plan --environment production', 'npx mytx plan --json')
    .explainedIn('deploying.md')
    .action(async (flags) => (await import('./plan.ts')).plan(flags));
  program
    .command('lint')
    .description(
      'say what is risky in migrations before they run: in those that a database lacks, or in files; changes nothing. Exit code 3: errors',
    )
    .argument('[files...]', 'SQL files: these and no others')
    .option('--since <ref>', 'the migrations that are new or changed since this version in git')
    .option('--all', 'every migration of the project')
    .option('--deployed <ref>', 'the version in production, as git calls it: what its schema reads must stay')
    .option('--offline', 'ask no database')
    .option(...targetFlag)
    .option('--strict', 'every warning is an error')
    .option('--github', 'print the findings as annotations of GitHub Actions')
    .option('--sarif <file>', 'write the findings as SARIF, too; - for stdout')
    .option(...configFlag)
    .option(...environmentFlag)
    .option(...urlFlag)
    .option(...jsonFlag)
    .example(
      'npx mytx lint',
      'npx mytx lint --environment production --deployed origin/production',
      'npx mytx lint --offline --since origin/main --strict',
      'npx mytx lint drizzle/0007_comments.sql --json',
    )
    .explainedIn('linting.md')
    .action(async (files, flags) => (await import('./lint.ts')).lint(files, flags));
  program
    .command('deploy')
    .description(
      'apply the pending migrations of a Drizzle project: one deploy at a time, resumed where one was interrupted',
    )
    .option('--confirm <hash>', 'apply the plan with this hash, as plan and status print it, and no other')
    .option('--include-late', 'also those that are older than the newest applied one')
    .addOption(
      new Option('--accept <states...>', 'go on although migrations are in these states').choices([
        'edited',
        'renamed',
        'deleted',
        'ahead',
      ]),
    )
    .option('--lock-wait <seconds>', 'wait so long for another deploy; 60 unless given', parseSeconds)
    .option('--lock-timeout <ms>', 'wait so long for a lock of a table, again and again; 500 unless given', parseMs)
    .option(...configFlag)
    .option(...environmentFlag)
    .option(...urlFlag)
    .option(...jsonFlag)
    .example(
      'npx mytx deploy',
      'npx mytx deploy --environment production --confirm 0a1b2c3d4e5f',
      'npx mytx deploy --json',
    )
    .explainedIn('deploying.md')
    .action(async (flags) => (await import('./deploy.ts')).deploy(flags));
  program
    .command('migrate')
    .description('apply the pending migrations, to a server or to the embedded database')
    .option(...jsonFlag)
    .example('npx mytx migrate', 'npx mytx migrate --json')
    .explainedIn('migrations.md')
    .action(async (flags) => (await import('./migrate.ts')).migrate(flags));
  program
    .command('reset')
    .description('drop every table and apply the migrations anew; refused outside of development')
    .option(...jsonFlag)
    .example('npx mytx reset', 'npx mytx reset --json')
    .explainedIn('migrations.md')
    .action(async (flags) => (await import('./reset.ts')).reset(flags));
}

function addDatabaseVerbs(program: Verb): void {
  program
    .command('health')
    .description(
      'say how the database is, whether its schema is up to date, and what row-level security lacks; changes nothing',
    )
    .option(...jsonFlag)
    .example('npx mytx health', 'npx mytx health --json')
    .explainedIn('troubleshooting.md')
    .action(async (flags) => (await import('./health.ts')).health(flags));
  program
    .command('encrypt')
    .description(
      'encrypt with the current key what is encrypted with another one, or not yet; may be stopped and run again',
    )
    .option('--dry-run', 'say how much there is to do, and do nothing')
    .option('--rows-per-second <count>', 'write so many rows in a second at most', parseRowsPerSecond)
    .option(...jsonFlag)
    .example('npx mytx encrypt --dry-run', 'npx mytx encrypt', 'npx mytx encrypt --rows-per-second 500 --json')
    .explainedIn('encryption.md')
    .action(async (flags) => (await import('./encrypt.ts')).encrypt(flags));
}

function addPersonVerbs(program: Verb): void {
  program
    .command('export')
    .description('write everything of a person into a file: to answer them, or to import it elsewhere')
    .argument('<user>', 'the id or the e-mail address')
    .option('--output <file>', 'where to; person-<id>.jsonl unless given')
    .addOption(new Option('--stdout', 'print the lines on stdout instead').conflicts(['json', 'output']))
    .option('--include-secrets', 'the hash of the password and the digests of API keys too: to move a person')
    .option(...jsonFlag)
    .example(
      'npx mytx export dana@example.com',
      'npx mytx export dana@example.com --include-secrets --output dana.jsonl',
      'npx mytx export 0198c5a2-7b1e-7c3a-9f00-3d2b6a41e8f5 --stdout | gzip > person.jsonl.gz',
    )
    .explainedIn('personal-data.md')
    .action(async (user, flags) => (await import('./export.ts')).exportPerson(user, flags));
  program
    .command('import')
    .description(
      'write a person from a file of mytx export into this database, where they are not yet: all, or nothing',
    )
    .argument('<file>', 'the file, or - for stdin')
    .option(...jsonFlag)
    .example('npx mytx import dana.jsonl', 'gunzip -c person.jsonl.gz | npx mytx import -')
    .explainedIn('personal-data.md')
    .action(async (file, flags) => (await import('./import.ts')).importPerson(file, flags));
  program
    .command('erase')
    .description('delete everything of a person; that it was done stays on record')
    .argument('<user>', 'the id or the e-mail address')
    .option(...yesFlag)
    .option(...jsonFlag)
    .example('npx mytx erase dana@example.com', 'npx mytx erase dana@example.com --yes --json')
    .explainedIn('personal-data.md')
    .action(async (user, flags) => (await import('./erase.ts')).erasePerson(user, flags));
}

function addEmbeddedVerbs(program: Verb): void {
  program
    .command('snapshot')
    .description('save the embedded database now, beside the snapshots that are taken by themselves')
    .option(...jsonFlag)
    .example('npx mytx snapshot', 'npx mytx snapshot --json')
    .explainedIn('snapshots.md')
    .action(async (flags) => (await import('./snapshot.ts')).snapshot(flags));
  program
    .command('restore')
    .description('put a snapshot into the place of the embedded database, which is kept beside it')
    .argument('[name]', 'a name, the beginning of one, or latest; without it the snapshots are listed')
    .option('--list', 'list the snapshots, after reading each')
    .option(...yesFlag)
    .option(...jsonFlag)
    .example('npx mytx restore --list', 'npx mytx restore latest', 'npx mytx restore 2026-10-08T12 --yes --json')
    .explainedIn('snapshots.md')
    .action(async (name, flags) => (await import('./restore.ts')).restore(name, flags));
}

function addShellVerbs(program: Verb): void {
  const shells = program.createArgument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']);
  program.helpCommand('help [command]', 'the same as --help, of a verb or of all');
  program
    .command('completion')
    .description('print the script by which a shell completes verbs, flags and their values')
    .addArgument(shells)
    .example('npx mytx completion bash', 'npx mytx completion zsh', 'npx mytx completion fish')
    .action(async (shell) => (await import('./completion.ts')).printScript(shell));
  // What the script asks at each press of the key, with the words that are there.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => (await import('./completion.ts')).printOffers(program, words));
}
