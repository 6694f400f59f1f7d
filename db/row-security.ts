// Whether row-level security is in place: what asUser needs, and every rule of the catalogue that could open a hole beside
// it, on our tables and on those that an application adds. Finds them by their column: a table holds people's data where it
// has `userId` or `user_id`, or refers to "User". Says what is missing, each with the statement that puts it right.

import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { serviceRole, userRole } from './connection/user-role.ts';
import { execute } from './database.ts';
import { AccessError } from './errors.ts';
import * as protocolsSchema from './protocols-schema.ts';
import * as schema from './schema.ts';

/** Something that row-level security lacks. */
export interface RowSecurityGap {
  /** A sentence that names the role, table, policy, view or function. */
  what: string;
  /** What an administrator, or the tables' owner, has to run; one statement or several, separated by semicolons. */
  statement: string;
  /** Whether asUser throws RLS_NOT_READY as long as it is there. The others open no hole today. */
  isRefused: boolean;
}

export interface RowSecurityReport {
  /** Nothing is missing. */
  isReady: boolean;
  missing: RowSecurityGap[];
}

/**
 * Compares the catalogue of the running code's database with what row-level security needs. Reads only.
 * @example
 * const { isReady, missing } = await checkRowSecurity();
 * for (const { what, statement } of missing) console.log(`-- ${what}\n${statement};`);
 */
export async function checkRowSecurity(): Promise<RowSecurityReport> {
  const { rows } = await execute(factsQuery, [], false);
  const facts = JSON.parse(rows[0]?.[0] as string) as Facts;
  const missing = [
    ...appRoles.flatMap((role) => gapsOfRole(role, facts)),
    ...facts.tables.flatMap((table) => (table.name === auditTable ? gapsOfRecord(table) : gapsOfTable(table))),
    ...facts.views.map(gapOfView),
    ...facts.definers.map(gapOfDefiner),
  ];
  return { isReady: missing.length === 0, missing };
}

/** @throws AccessError RLS_NOT_READY, with the statements in its hint and in `details.statements` */
export async function requireRowSecurity(target: string): Promise<void> {
  const refused = (await checkRowSecurity()).missing.filter(({ isRefused }) => isRefused);
  if (refused.length === 0) return;
  const [first] = refused as [RowSecurityGap];
  const rest = refused.length === 1 ? '' : `, and ${refused.length - 1} more`;
  const statements = refused.map(({ statement }) => `${statement};`);
  throw new AccessError(
    'RLS_NOT_READY',
    `row-level security is not ready on ${target}: ${first.what}${rest}`,
    `An administrator, or the tables' owner, runs:\n${statements.join('\n')}`,
    { missing: refused.map(({ what }) => what), statements },
  );
}

const appRoles = [userRole, serviceRole] as const;
type AppRole = (typeof appRoles)[number];

const auditTable = getTableName(schema.auditEvent);
const ourTables = new Set(
  Object.values<unknown>({ ...schema, ...protocolsSchema })
    .filter((value): value is PgTable => is(value, PgTable))
    .map((table) => getTableName(table)),
);

type Command = 'select' | 'insert' | 'update' | 'delete';
const commands: readonly Command[] = ['select', 'insert', 'update', 'delete'];

interface RoleFacts {
  name: AppRole;
  isAboveRules: boolean;
  isUsable: boolean;
}

interface PolicyFacts {
  name: string;
  /** A command, or `all`. */
  command: Command | 'all';
  roles: string[];
  isPermissive: boolean;
  using: string | null;
  check: string | null;
}

interface TableFacts {
  name: string;
  /** Absent on the audit table. */
  userColumn: string | null;
  owner: string;
  isEnabled: boolean;
  isForced: boolean;
  /** Whether an index begins with the user's column. */
  isIndexed: boolean;
  policies: PolicyFacts[];
  /** What each role may do, in lower case. */
  rights: Record<AppRole, string[]>;
}

interface Facts {
  login: string;
  serverVersion: number;
  /** The schema of our tables. */
  schema: string;
  roles: RoleFacts[];
  tables: TableFacts[];
  views: { name: string; kind: 'v' | 'm' }[];
  definers: string[];
}

function gapsOfRole(role: AppRole, { roles, login, serverVersion, schema: home, tables }: Facts): RowSecurityGap[] {
  const found = roles.find(({ name }) => name === role);
  const options = serverVersion >= 160_000 ? ' with inherit true, set true' : '';
  const grant = `grant ${role} to ${quoted(login)}${options}`;
  if (!found) {
    const create = [`create role ${role} nologin`, grant, `grant usage on schema ${quoted(home)} to ${role}`];
    return [refused(`there is no role ${role}`, create.join('; '))];
  }
  const owned = tables.filter(({ owner }) => owner === role);
  return [
    ...(found.isAboveRules
      ? [refused(`${role} is above row-level security`, `alter role ${role} nosuperuser nobypassrls`)]
      : []),
    ...(found.isUsable ? [] : [refused(`${login} is no member of ${role}, or may not work as it`, grant)]),
    ...owned.map(({ name }) =>
      refused(`${role} owns "${name}"`, `alter table ${quoted(name)} owner to ${quoted(login)}`),
    ),
  ];
}

function gapsOfTable(table: TableFacts): RowSecurityGap[] {
  const { name, userColumn, isIndexed, rights } = table;
  // One that asUser can't get at is no hole; what it lacks before it can is told.
  const isReached = ourTables.has(name) || rights[userRole].length > 0;
  const gaps = [
    ...gapsOfSwitches(table),
    ...appRoles.flatMap((role) => gapsOfRights(table, role, commands)),
    ...commands.flatMap((command) => appRoles.flatMap((role) => gapsOfPolicies(table, role, command))),
    ...gapsOfOpenPolicies(table),
  ].map((gap) => ({ ...gap, isRefused: isReached && gap.isRefused }));
  if (isIndexed) return gaps;
  const index = `create index concurrently on ${quoted(name)} (${quoted(userColumn as string)})`;
  return [...gaps, { what: `no index of "${name}" begins with "${userColumn}"`, statement: index, isRefused: false }];
}

/** The record of what was done: added to, read by the application, never changed. */
function gapsOfRecord(table: TableFacts): RowSecurityGap[] {
  const changing = table.policies.filter(({ command }) => command !== 'select' && command !== 'insert');
  return [
    ...gapsOfSwitches(table),
    ...gapsOfRights(table, userRole, ['insert']),
    ...gapsOfRights(table, serviceRole, ['select', 'insert']),
    ...changing.map(({ name }) => refused(`policy ${name} lets "${table.name}" be changed`, dropPolicy(name, table))),
    ...(['insert', 'select'] as const)
      .filter((command) => !table.policies.some((policy) => policy.command === command))
      .map((command) => {
        const to = command === 'insert' ? appRoles.join(', ') : serviceRole;
        const rule = command === 'insert' ? 'with check (true)' : 'using (true)';
        const policy = quoted(`${table.name}_${command}_policy`);
        return refused(
          `"${table.name}" has no policy for ${command}`,
          `create policy ${policy} on ${quoted(table.name)} for ${command} to ${to} ${rule}`,
        );
      }),
  ];
}

function gapsOfSwitches({ name, isEnabled, isForced }: TableFacts): RowSecurityGap[] {
  return [
    ...(isEnabled
      ? []
      : [refused(`"${name}" has no row-level security`, `alter table ${quoted(name)} enable row level security`)]),
    ...(isForced
      ? []
      : [
          refused(
            `the owner of "${name}" is above its policies`,
            `alter table ${quoted(name)} force row level security`,
          ),
        ]),
  ];
}

function gapsOfRights({ name, rights }: TableFacts, role: AppRole, needed: readonly Command[]): RowSecurityGap[] {
  const lacking = needed.filter((right) => !rights[role].includes(right));
  const beyond = rights[role].filter((right) => !needed.includes(right as Command));
  return [
    ...(lacking.length === 0
      ? []
      : [
          refused(
            `${role} may not ${lacking.join(', ')} in "${name}"`,
            `grant ${lacking.join(', ')} on ${quoted(name)} to ${role}`,
          ),
        ]),
    ...(beyond.length === 0
      ? []
      : [
          refused(
            `${role} has the right to ${beyond.join(', ')} on "${name}"`,
            `revoke ${beyond.join(', ')} on ${quoted(name)} from ${role}, public`,
          ),
        ]),
  ];
}

function gapsOfPolicies({ name, userColumn, policies }: TableFacts, role: AppRole, command: Command): RowSecurityGap[] {
  const isCovered = policies.some(
    (policy) => policy.isPermissive && isFor(policy, role) && (policy.command === 'all' || policy.command === command),
  );
  if (isCovered) return [];
  const rule = role === serviceRole ? 'true' : `${quoted(userColumn as string)} = ${currentUser}`;
  const using = command === 'insert' ? '' : ` using (${rule})`;
  const check = command === 'insert' || command === 'update' ? ` with check (${rule})` : '';
  const policy = quoted(`${name}_${role === serviceRole ? 'service' : 'user'}_${command}_policy`);
  return [
    refused(
      `no policy of "${name}" is for ${role} and ${command}`,
      `create policy ${policy} on ${quoted(name)} for ${command} to ${role}${using}${check}`,
    ),
  ];
}

/** Policies add up: one that does not ask for the user shows everybody's rows. */
function gapsOfOpenPolicies(table: TableFacts): RowSecurityGap[] {
  const open = table.policies.filter((policy) => {
    const rules = [policy.using, policy.check].filter((rule) => rule !== null);
    return policy.isPermissive && isFor(policy, userRole) && !rules.every((rule) => rule.includes(userSetting));
  });
  return open.map(({ name }) =>
    refused(`policy ${name} of "${table.name}" lets ${userRole} at rows of others`, dropPolicy(name, table)),
  );
}

function gapOfView({ name, kind }: Facts['views'][number]): RowSecurityGap {
  return kind === 'v'
    ? refused(
        `view "${name}" shows ${userRole} what its owner may see`,
        `alter view ${quoted(name)} set (security_invoker = true)`,
      )
    : refused(
        `materialized view "${name}" shows ${userRole} rows of everybody`,
        `revoke all on ${quoted(name)} from ${userRole}, public`,
      );
}

function gapOfDefiner(signature: string): RowSecurityGap {
  return {
    what: `function ${signature} runs as its owner and with any search_path`,
    statement: `alter function ${signature} set search_path = pg_catalog, pg_temp`,
    isRefused: false,
  };
}

function isFor({ roles }: PolicyFacts, role: AppRole): boolean {
  return roles.includes(role) || roles.includes('public');
}

function refused(what: string, statement: string): RowSecurityGap {
  return { what, statement, isRefused: true };
}

function dropPolicy(name: string, table: TableFacts): string {
  return `drop policy ${quoted(name)} on ${quoted(table.name)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const userSetting = 'app.user_id';
/** A sub-select is evaluated once for a statement. A setting that was set and reset is '', which is no uuid. */
const currentUser = `(select nullif(current_setting('${userSetting}', true), '')::uuid)`;

/** PostgreSQL 16 tells the right to work as a role from the membership. */
const factsQuery = `
with home as (
  select relnamespace as schema_oid from pg_catalog.pg_class where oid = to_regclass('"Chat"')
),
app_role as (
  select oid, rolname, rolsuper or rolbypassrls as is_above_rules,
    pg_has_role(session_user, oid, 'usage') and case
      when current_setting('server_version_num')::int >= 160000 then pg_has_role(session_user, oid, 'SET')
      else pg_has_role(session_user, oid, 'member')
    end as is_usable
  from pg_catalog.pg_roles
  where rolname in ('${userRole}', '${serviceRole}')
),
user_column as (
  select distinct on (class.oid) class.oid as table_oid, attribute.attnum, attribute.attname
  from pg_catalog.pg_class class
  join pg_catalog.pg_attribute attribute on attribute.attrelid = class.oid and attnum > 0 and not attisdropped
  where class.relnamespace = (select schema_oid from home) and class.relkind in ('r', 'p')
    and (
      attname in ('userId', 'user_id')
      or class.oid = to_regclass('"User"') and attname = 'id'
      or exists (
        select from pg_catalog.pg_constraint
        where conrelid = class.oid and contype = 'f' and confrelid = to_regclass('"User"') and conkey[1] = attnum
      )
    )
  order by class.oid, attname in ('userId', 'user_id') desc, attnum
)
select json_build_object(
  'login', session_user,
  'serverVersion', current_setting('server_version_num')::int,
  'schema', (select nspname from pg_catalog.pg_namespace where oid = (select schema_oid from home)),
  'roles', coalesce((
    select json_agg(json_build_object('name', rolname, 'isAboveRules', is_above_rules, 'isUsable', is_usable))
    from app_role
  ), '[]'),
  'tables', coalesce((
    select json_agg(json_build_object(
      'name', class.relname,
      'userColumn', user_column.attname,
      'owner', pg_get_userbyid(class.relowner),
      'isEnabled', class.relrowsecurity,
      'isForced', class.relforcerowsecurity,
      'isIndexed', exists (
        select from pg_catalog.pg_index
        where indrelid = class.oid and indkey[0] = user_column.attnum and indpred is null and indisvalid
      ),
      'policies', coalesce((
        select json_agg(json_build_object(
          'name', polname,
          'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
          'roles', (select json_agg(case role when 0 then 'public' else pg_get_userbyid(role) end) from unnest(polroles) role),
          'isPermissive', polpermissive,
          'using', pg_get_expr(polqual, polrelid),
          'check', pg_get_expr(polwithcheck, polrelid)
        ) order by polname)
        from pg_catalog.pg_policy where polrelid = class.oid
      ), '[]'),
      'rights', (
        select json_build_object('${userRole}', coalesce(json_agg(word) filter (where rolname = '${userRole}'), '[]'),
          '${serviceRole}', coalesce(json_agg(word) filter (where rolname = '${serviceRole}'), '[]'))
        from app_role
        cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) word
        where has_table_privilege(app_role.oid, class.oid, word)
      )
    ) order by class.relname)
    from pg_catalog.pg_class class
    left join user_column on user_column.table_oid = class.oid
    where user_column.table_oid is not null or class.oid = to_regclass('"${auditTable}"')
  ), '[]'),
  'views', coalesce((
    select json_agg(json_build_object('name', class.relname, 'kind', class.relkind) order by class.relname)
    from pg_catalog.pg_class class
    join app_role on rolname = '${userRole}'
    where class.relnamespace = (select schema_oid from home)
      and (class.relkind = 'm' or class.relkind = 'v'
        and not coalesce(class.reloptions::text[] && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false))
      and has_table_privilege(app_role.oid, class.oid, 'select')
  ), '[]'),
  'definers', coalesce((
    select json_agg(oid::regprocedure::text order by oid::regprocedure::text)
    from pg_catalog.pg_proc
    where pronamespace = (select schema_oid from home) and prosecdef
      and not exists (select from unnest(coalesce(proconfig, '{}')) setting where setting like 'search_path=%')
  ), '[]')
)::text`;
