-- Who may see what. Two roles that nobody logs in as: mytx_user sees the rows of the user in app.user_id (asUser sets
-- both for one transaction), mytx_service sees every row. Who logs in is a member of both, and works as mytx_service.
-- Roles belong to the whole server. Where this role may not make them, or not grant them, row-level security stays off,
-- with a warning: checkRowSecurity() then lists the statements for an administrator.
do $$
declare
  app_role text;
  member record;
  owned record;
begin
  begin
    foreach app_role in array array['mytx_user', 'mytx_service'] loop
      if not exists (select from pg_catalog.pg_roles where rolname = app_role) then
        begin
          execute format('create role %I nologin', app_role);
        exception
          when duplicate_object or unique_violation then null; -- another database of this server was faster
        end;
      end if;
    end loop;
    -- The owner, and whoever could read these tables until now: without a policy they would see nothing.
    for member in
      select distinct role.rolname
      from pg_catalog.pg_class class
      cross join aclexplode(coalesce(class.relacl, acldefault('r', class.relowner))) acl
      join pg_catalog.pg_roles role on role.oid = acl.grantee
      where class.oid = to_regclass('"Chat"')
        and not role.rolsuper
        and role.rolname not in ('mytx_user', 'mytx_service')
    loop
      foreach app_role in array array['mytx_user', 'mytx_service'] loop
        if not (pg_has_role(member.rolname, app_role, 'usage') and pg_has_role(member.rolname, app_role, 'member')) then
          execute format(
            'grant %I to %I%s', app_role, member.rolname,
            case when current_setting('server_version_num')::int >= 160000 then ' with inherit true, set true' else '' end
          );
        end if;
      end loop;
    end loop;
  exception
    when insufficient_privilege then
      raise warning 'row-level security stays off: % (checkRowSecurity() lists what an administrator has to run)', sqlerrm;
      return;
  end;

  if not has_schema_privilege('mytx_user', current_schema(), 'usage') then
    execute format('grant usage on schema %I to mytx_user, mytx_service', current_schema());
  end if;
  for owned in
    select *
    from (values
      ('User', 'id'), ('Chat', 'userId'), ('Message', 'userId'), ('Reservation', 'userId'), ('ApiKey', 'userId'),
      ('Memory', 'user_id'), ('Task', 'user_id'), ('Protocol', 'user_id'), ('ProtocolVersion', 'user_id')
    ) as list (table_name, user_column)
  loop
    execute format('alter table %I enable row level security', owned.table_name);
    -- Else the owner, which most applications log in as, would be above the policies.
    execute format('alter table %I force row level security', owned.table_name);
    execute format('grant select, insert, update, delete on %I to mytx_user, mytx_service', owned.table_name);
    execute format(
      'create policy %I on %I to mytx_service using (true) with check (true)',
      owned.table_name || '_service_policy', owned.table_name
    );
    -- A sub-select is evaluated once for a statement. A setting that was set and reset is '', which is no uuid.
    execute format(
      'create policy %I on %I to mytx_user using (%I = (select nullif(current_setting(''app.user_id'', true), '''')::uuid)) '
      'with check (%3$I = (select nullif(current_setting(''app.user_id'', true), '''')::uuid))',
      owned.table_name || '_user_policy', owned.table_name, owned.user_column
    );
  end loop;

  -- The record of what was done is added to, never changed: there is no policy for that, also not for its owner.
  alter table "AuditEvent" enable row level security;
  alter table "AuditEvent" force row level security;
  grant insert on "AuditEvent" to mytx_user;
  grant select, insert on "AuditEvent" to mytx_service;
  create policy "AuditEvent_insert_policy" on "AuditEvent" for insert to mytx_user, mytx_service with check (true);
  create policy "AuditEvent_select_policy" on "AuditEvent" for select to mytx_service using (true);
end $$;
