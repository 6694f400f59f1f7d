// Looks for what is risky in migrations before they run: by squawk's rules, and by ours, which know the database's tables and
// the code in production where these are given. Reads only.

import { readCatalogue, readLongTransactions, seesEveryTransaction } from '../catalogue.ts';
import { type Grammar, loadGrammar } from '../grammar.ts';
import type { Migration } from '../migrations.ts';
import { operationsOf } from '../operations/classify.ts';
import { follow } from '../operations/follow.ts';
import { type Known, knownFrom } from '../operations/known.ts';
import type { DeploySession } from '../session.ts';
import { findBlocking } from './blocking.ts';
import { changesOf } from './changes.ts';
import type { ContextStatement, Found, LintContext, LintedDatabase } from './context.ts';
import { findBrokenCode } from './deployed-code.ts';
import type { DeployedSchema } from './deployed-schema.ts';
import type { Finding, LintReport } from './finding.ts';
import { findUnindexedForeignKeys } from './foreign-keys.ts';
import { newRowProbes } from './row-probes.ts';
import { type Rule, rules, type Severity } from './rules.ts';
import type { LintSettings } from './settings.ts';
import { type LintedFile, openSource, parseSource, regionOf, type Span } from './source.ts';
import { runSquawk, type SquawkFinding, SquawkMissing } from './squawk.ts';
import { applySuppressions, type PlacedFinding, readSuppressions, type Suppression } from './suppressions.ts';
import { findSureFailures } from './sure-failures.ts';

export interface LintInput {
  /** What is looked at, in the order in which it would run. */
  migrations: readonly Migration[];
  /** The project's others: without a database they say which indexes there are. */
  others: readonly Migration[];
  settings: LintSettings;
  /** A database that the migrations would be applied to. */
  session: DeploySession | undefined;
  /** What the code in production reads. */
  deployed: DeployedSchema | undefined;
  /** The server's version where no database says it; 15, the oldest one that is supported, unless given. */
  version: number | undefined;
  /** Every warning is an error. */
  isStrict: boolean | undefined;
}

/** @throws DeployError MIGRATIONS_UNREADABLE; the driver's own error where the database can't be read */
export async function lintMigrations(input: LintInput): Promise<LintReport> {
  const grammar = loadGrammar();
  grammar.catch(() => {}); // whoever waits for it below is told
  const files = await openFiles(input.migrations);
  const database = input.session && (await readDatabase(input.session, input.settings));
  const version = database?.catalogue.version ?? input.version ?? oldestVersion;
  // squawk is at work while its files are parsed here.
  const [squawks, { context, ours }] = await Promise.all([
    squawkFindings(files, version, input.settings),
    findOurs(files, database, version, input, grammar),
  ]);
  const placed = [...ours.map(fromOurs), ...squawks];
  const suppressions = files.flatMap(readSuppressions);
  const { told, suppressed, unused } = applySuppressions(placed, suppressions);
  const ofComments = commentFindings(suppressions, unused, isSquawkMissing(squawks));
  const findings = [...told, ...ofComments.map((found) => fromOurs(found).finding)]
    .flatMap((finding) => withSeverity(finding, input))
    .sort(byPlace(files));
  return {
    files: files.map(({ path }) => path),
    findings,
    suppressed: suppressed.filter((finding) => severityOf(finding, input) !== 'off').sort(byPlace(files)),
    errors: findings.filter(({ severity }) => severity === 'error').length,
    warnings: findings.filter(({ severity }) => severity === 'warning').length,
    notes: notesOf(context),
  };
}

const oldestVersion = 15;

async function openFiles(migrations: readonly Migration[]): Promise<LintedFile[]> {
  const files: LintedFile[] = [];
  for (const migration of migrations) files.push(await openSource(migration));
  return files;
}

async function findOurs(
  files: readonly LintedFile[],
  database: LintedDatabase | undefined,
  version: number,
  { settings, deployed, others }: LintInput,
  loading: Promise<Grammar>,
): Promise<{ context: LintContext; ours: Found[] }> {
  const grammar = await loading;
  const known = knownFrom(database?.catalogue);
  const otherFiles = database ? [] : await openFiles(others);
  for (const file of [...files, ...otherFiles]) parseSource(file, grammar);
  const earlier = otherFiles.flatMap((file) => file.statements.flatMap(({ parsed }) => changesOf(parsed)));
  const statements = inOrder(files, known);
  const context = { files, statements, settings, known, database, deployed, version, earlier };
  return { context, ours: await applyRules(context) };
}

/** Each statement with the database as those before it leave it. */
function inOrder(files: readonly LintedFile[], atFirst: Known): ContextStatement[] {
  let known = atFirst;
  return files
    .flatMap((file) => file.statements)
    .map((statement, number) => {
      const { parsed } = statement;
      const one = { ...statement, number, changes: changesOf(parsed), known, operations: operationsOf(parsed, known) };
      known = follow(parsed, known);
      return one;
    });
}

async function readDatabase(session: DeploySession, settings: LintSettings): Promise<LintedDatabase> {
  return {
    catalogue: await readCatalogue(session),
    longTransactions: await readLongTransactions(session, settings.longTransactionSeconds),
    seesEveryTransaction: await seesEveryTransaction(session),
    probes: newRowProbes(session),
  };
}

async function applyRules(context: LintContext): Promise<Found[]> {
  return [
    ...findBlocking(context),
    ...findUnindexedForeignKeys(context),
    ...findBrokenCode(context),
    ...(await findSureFailures(context)),
  ];
}

/** Its own findings, or the one that it is missing. */
async function squawkFindings(
  files: readonly LintedFile[],
  version: number,
  settings: LintSettings,
): Promise<PlacedFinding[]> {
  const include = [...settings.severities]
    .filter(([, severity]) => severity !== 'off')
    .map(([rule]) => rule.replace('squawk/', ''));
  try {
    return (await runSquawk(files, { version, include })).map(fromSquawk);
  } catch (error) {
    if (!(error instanceof SquawkMissing)) throw error;
    const { severity, help } = ruleOf('squawk-missing');
    const finding = { rule: 'squawk-missing', severity, file: null, region: null, message: error.message, help };
    return [{ finding: finding as Finding, file: undefined, span: undefined }];
  }
}

const isSquawkMissing = (found: readonly PlacedFinding[]): boolean =>
  found.some(({ finding }) => finding.rule === 'squawk-missing');

/** Of what a newer squawk finds nothing is known but what it says. */
function ruleOf(name: string): Rule {
  return rules.get(name) ?? { finds: name, help: '', severity: 'warning' };
}

function fromSquawk({ file, start, end, rule, message, help }: SquawkFinding): PlacedFinding {
  const name = `squawk/${rule}`;
  return place(file, { start, end }, name, message, help ?? ruleOf(name).help, ruleOf(name).severity);
}

function fromOurs({ rule, file, span, message, severity, help }: Found): PlacedFinding {
  const own = ruleOf(rule);
  return place(file, span, rule, message, help ?? own.help, severity ?? own.severity);
}

function place(
  file: LintedFile,
  span: Span,
  rule: string,
  message: string,
  help: string,
  severity: Severity,
): PlacedFinding {
  const region = regionOf(file.text, span);
  // One that is off by itself is switched on by the configuration, or left out behind the suppressions.
  return {
    finding: { rule, severity: severity as Finding['severity'], file: file.path, region, message, help },
    file,
    span,
  };
}

function severityOf(finding: Finding, { settings, isStrict }: LintInput): Severity {
  const severity: Severity = settings.severities.get(finding.rule) ?? finding.severity;
  return severity === 'warning' && isStrict ? 'error' : severity;
}

function withSeverity(finding: Finding, input: LintInput): Finding[] {
  const severity = severityOf(finding, input);
  return severity === 'off' ? [] : [{ ...finding, severity }];
}

function commentFindings(
  suppressions: readonly Suppression[],
  unused: readonly { suppression: Suppression; rule: string }[],
  hasNoSquawk: boolean,
): Found[] {
  const bare = suppressions
    .filter(({ rules: named, reason }) => named.length === 0 || reason === '')
    .map(
      (suppression): Found => ({
        rule: 'suppression-without-reason',
        file: suppression.file,
        span: suppression,
        message: `this comment ${suppression.rules.length === 0 ? 'names no rule' : 'gives no reason'}, and keeps nothing out of the report`,
      }),
    );
  const useless = unused
    .filter(({ rule }) => !rules.get(rule)?.needs && !(hasNoSquawk && rule.startsWith('squawk/')))
    .map(
      ({ suppression, rule }): Found => ({
        rule: 'unused-suppression',
        file: suppression.file,
        span: suppression,
        message: rules.has(rule)
          ? `${rule} finds nothing here`
          : `there is no rule ${JSON.stringify(rule).slice(0, 80)}`,
      }),
    );
  return [...bare, ...useless];
}

function byPlace(files: readonly LintedFile[]): (one: Finding, other: Finding) => number {
  const orders = new Map(files.map(({ path }, n) => [path, n]));
  const order = ({ file, region }: Finding): number[] => [
    file === null ? -1 : (orders.get(file) ?? 0),
    region?.line ?? 0,
    region?.column ?? 0,
  ];
  return (one, other) => {
    const others = order(other);
    const difference = order(one)
      .map((value, n) => value - (others[n] ?? 0))
      .find((value) => value !== 0);
    return difference ?? one.rule.localeCompare(other.rule);
  };
}

function notesOf({ database, deployed, statements }: LintContext): string[] {
  const list = (need: Rule['needs']): string =>
    [...rules]
      .filter(([, rule]) => rule.needs === need)
      .map(([name]) => name)
      .join(', ');
  const isGone = statements.some(({ changes }) =>
    changes.some(({ kind }) => /^(drop|rename)-(table|column)$/.test(kind)),
  );
  return [
    ...(database
      ? []
      : [`no database was asked, so that nothing is known of sizes, rows and open transactions: ${list('database')}`]),
    ...(database?.seesEveryTransaction === false
      ? [
          'this role does not see the transactions of others: long-transaction looked at its own alone (grant pg_read_all_stats)',
        ]
      : []),
    ...(deployed || !isGone
      ? []
      : ['what the code in production reads was not looked at: name its version with --deployed']),
  ];
}
