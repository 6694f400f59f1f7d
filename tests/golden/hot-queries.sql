-- What each function of the data layer sends to the database, statement by statement.
-- A long one stands where it is sent first. Written by `npm run queries:dump` from calls on an embedded database;
-- do not edit.

-- createUser
insert into "User" ("id", "email", "password", "displayName", "avatarUrl") values ($1, $2, $3, default, default) returning "id", "email", "displayName", "avatarUrl";

-- getUser
select "id", "email", "password", "displayName", "avatarUrl" from "User" where lower("User"."email") = lower($1);

-- saveChat: a new chat
with given as materialized (
  select new_row.*, $7::integer + n - 1 as position
  from rows from (
    unnest($3::uuid[]),
    json_array_elements_text($4::json),
    json_array_elements_text($5::json),
    json_array_elements($6::json)
  ) with ordinality as new_row (id, role, hash, body, n)
), seen as (
  select c.*
  from "Chat" c
  join unnest($9::integer[], $10::text[]) as expected (count, digest)
    on expected.count = c."digestCount" and decode(expected.digest, 'hex') is not distinct from c.digest
  where c.id = $1::uuid and c."userId" = $2::uuid
    and c."messageCount" between $7::integer and $7::integer + json_array_length($6::json) - 1
    and (
      select coalesce(bool_and(
        case m.position
          when $7::integer - 1 then sha256(convert_to(m.body::text, 'UTF8')) = decode($8::text, 'hex')
          else coalesce(m.body::text = (select given.body::text from given where given.position = m.position), false)
        end
      ), true)
      from "Message" m
      where m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
    )
), chat as (
  update "Chat" c
  set
    "messageCount" = $7::integer + json_array_length($6::json),
    "headId" = ($3::uuid[])[json_array_length($6::json)],
    revision = c.revision + 1,
    digest = decode($11::text, 'hex'),
    "digestCount" = $12::integer,
    preview = $13::text,
    "updatedAt" = now()
  from seen
  where c.id = $1::uuid and c."userId" = $2::uuid and c.revision = seen.revision
  returning c.id, c."userId", c.title, c.preview, c."messageCount", c."createdAt", c."updatedAt", seen."messageCount" as base, seen."headId" as head
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    given.id,
    chat."userId",
    chat.id,
    coalesce(lag(given.id) over (order by given.n), chat.head),
    given.position,
    given.role,
    given.hash::bigint,
    given.body,
    clock_timestamp()
  from given, chat
  where given.position >= chat.base
)
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt", null, null, null, null, null, null, null, null
from chat
union all
select null, null, null, null, null, null, null, c."messageCount", c."headId", c.revision, encode(c.digest, 'hex'), c."digestCount", m.position, m.id, m.body
from "Chat" c
left join "Message" m
  on m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
where c.id = $1::uuid and c."userId" = $2::uuid and not exists (select from chat)
order by 13;
with chat as (
  insert into "Chat" (id, "userId", "messageCount", "headId", digest, "digestCount", preview)
  values (
    $1::uuid,
    $2::uuid,
    json_array_length($4::json),
    ($3::uuid[])[json_array_length($4::json)],
    decode($7::text, 'hex'),
    $8::integer,
    $9::text
  )
  on conflict do nothing
  returning id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    new_row.id,
    chat."userId",
    chat.id,
    lag(new_row.id) over (order by n),
    n - 1,
    new_row.role,
    new_row.hash::bigint,
    new_row.body,
    clock_timestamp()
  from chat, rows from (
    unnest($3::uuid[]),
    json_array_elements_text($4::json),
    json_array_elements_text($5::json),
    json_array_elements($6::json)
  ) with ordinality as new_row (id, role, hash, body, n)
)
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"
from chat;

-- saveChat: the last message completed
-- (a statement of "saveChat: a new chat")
with chat as (
  update "Chat"
  set
    "messageCount" = $4::integer + json_array_length($8::json),
    "headId" = coalesce(($7::uuid[])[json_array_length($8::json)], $5::uuid),
    revision = revision + 1,
    digest = decode($11::text, 'hex'),
    "digestCount" = $12::integer,
    preview = $13::text,
    "updatedAt" = now()
  where id = $1::uuid and "userId" = $2::uuid and revision = $3::integer
  returning id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"
), completed as (
  update "Message" m
  set body = $14::json, role = $15::text, "ownIdHash" = $16::bigint
  from chat
  where m."userId" = chat."userId" and m."chatId" = chat.id and m.id = $6::uuid
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    new_row.id,
    chat."userId",
    chat.id,
    coalesce(lag(new_row.id) over (order by n), $5::uuid),
    $4::integer + n - 1,
    new_row.role,
    new_row.hash::bigint,
    new_row.body,
    clock_timestamp()
  from chat, rows from (
    unnest($7::uuid[]),
    json_array_elements_text($8::json),
    json_array_elements_text($9::json),
    json_array_elements($10::json)
  ) with ordinality as new_row (id, role, hash, body, n)
)
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"
from chat;

-- saveChat: one message more
-- (a statement of "saveChat: a new chat")

-- saveChat: nothing new
-- (a statement of "saveChat: a new chat")
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"
from "Chat"
where id = $1::uuid and "userId" = $2::uuid and revision = $3::integer;

-- saveChat: an edited message, which begins a branch
-- (a statement of "saveChat: a new chat")
select position, id, body
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position < $3::integer
order by position;
begin;
select "messageCount", "headId", revision, encode(digest, 'hex'), "digestCount"
from "Chat"
where id = $1::uuid and "userId" = $2::uuid
for update;
select c."messageCount", c."headId", c.revision, encode(c.digest, 'hex'), c."digestCount", m.position, m.id, m.body
from "Chat" c
left join "Message" m
  on m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
where c.id = $1::uuid and c."userId" = $2::uuid
order by m.position;
-- (a statement of "saveChat: an edited message, which begins a branch")
update "Message"
set active = false
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position >= $3::integer;
-- (a statement of "saveChat: the last message completed")
commit;

-- getChatById
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt", null::json as body, null::integer as position
from "Chat"
where id = $1::uuid
union all
select null, null, null, null, null, null, null, body, position
from "Message"
where "userId" = (select "userId" from "Chat" where id = $1::uuid) and "chatId" = $1::uuid and active;

-- getChatById: with userId
select id, "userId", title, preview, "messageCount", "createdAt", "updatedAt", null::json as body, null::integer as position
from "Chat"
where id = $1::uuid and "userId" = $2::uuid
union all
select null, null, null, null, null, null, null, body, position
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active;

-- getChatsByUserId
select c.id, c."userId", c.title, c.preview, c."messageCount", c."createdAt", c."updatedAt",
  (
    select coalesce(json_agg(m.body), '[]')
    from (
      select body
      from "Message"
      where "userId" = c."userId" and "chatId" = c.id and active
      order by position
    ) m
  )
from "Chat" c
where c."userId" = $1::uuid
order by c."createdAt" desc, c.id desc
limit $2::integer offset $3::integer;

-- listChats: first page
select "id", "userId", "title", "preview", "messageCount", "createdAt", "updatedAt" from "Chat" where "Chat"."userId" = $1 order by "Chat"."createdAt" desc, "Chat"."id" desc limit $2;

-- listChats: next page
select "id", "userId", "title", "preview", "messageCount", "createdAt", "updatedAt" from "Chat" where ("Chat"."userId" = $1 and ("Chat"."createdAt", "Chat"."id") < ($2::timestamptz, $3::uuid)) order by "Chat"."createdAt" desc, "Chat"."id" desc limit $4;

-- renameChat
update "Chat" set "title" = $1::text, "updatedAt" = now() where ("Chat"."id" = $2 and "Chat"."userId" = $3) returning "id", "userId", "title", "preview", "messageCount", "createdAt", "updatedAt";

-- deleteChatById
delete from "Chat" where "Chat"."id" = $1 returning "id", "userId", "title", "preview", "messageCount", "createdAt", "updatedAt";

-- deleteChatById: with userId
delete from "Chat" where ("Chat"."id" = $1 and "Chat"."userId" = $2) returning "id", "userId", "title", "preview", "messageCount", "createdAt", "updatedAt";

-- deleteAllChats
delete from "Chat" where "Chat"."userId" = $1;

-- appendMessages
with given as materialized (
  select new_row.*, $1::uuid as "chatId", $2::uuid as "userId"
  from rows from (
    unnest($3::uuid[]),
    json_array_elements_text($4::json),
    json_array_elements_text($5::json),
    json_array_elements($6::json)
  ) with ordinality as new_row (id, role, hash, body, n)
), known as (
  select distinct on (n) n, id, "parentId", position, role, "createdAt"
  from (
    select given.n, true as is_repeated, m.id, m."parentId", m.position, m.role, m."createdAt"
    from given
    -- lateral with an offset: one look into the index for each message, where a join may read the whole chat
    cross join lateral (
      select *
      from "Message"
      where "userId" = given."userId" and "chatId" = given."chatId" and id = given.id
      offset 0
    ) m
    union all
    select given.n, false, m.id, m."parentId", m.position, m.role, m."createdAt"
    from given
    cross join lateral (
      select *
      from "Message"
      where "ownIdHash" = given.hash::bigint and "chatId" = given."chatId"
      offset 0
    ) m
    where m."userId" = given."userId" and m.active and case
      when m.body::text = given.body::text then true
      else replace(replace(m.body::text, '\\', '\\b'), '\u', '\\u')::jsonb = replace(replace(given.body::text, '\\', '\\b'), '\u', '\\u')::jsonb
    end
  ) found
  order by n, is_repeated desc, position desc
), fresh as (
  select given.*, row_number() over (order by n) - 1 as step
  from given
  where not exists (select 1 from known where known.n = given.n)
), chat as (
  update "Chat" c
  set
    "messageCount" = c."messageCount" + (select count(*) from fresh)::integer,
    "headId" = (select id from fresh order by n desc limit 1),
    revision = c.revision + 1,
    preview = coalesce(
      c.preview,
      (
        select previews.preview
        from json_array_elements_text($7::json) with ordinality as previews (preview, n)
        join fresh using (n)
        where previews.preview is not null
        order by n
        limit 1
      )
    ),
    "updatedAt" = now()
  from "Chat" seen, (select "chatId", "userId" from given limit 1) key
  where c.id = key."chatId" and c."userId" = key."userId"
    and seen.id = c.id and seen.revision = c.revision
    and exists (select 1 from fresh)
  returning c.id, c."userId", seen."messageCount" as base, seen."headId" as head
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    fresh.id,
    chat."userId",
    chat.id,
    coalesce(lag(fresh.id) over (order by fresh.n), chat.head),
    chat.base + fresh.step,
    fresh.role,
    fresh.hash::bigint,
    fresh.body,
    clock_timestamp()
  from fresh, chat
  returning id, "parentId", position, role, "createdAt"
)
select id, "parentId", position, role, "createdAt", n
from known
union all
select written.*, fresh.n
from written
join fresh on fresh.id = written.id
order by 6;

-- appendMessages: repeated with its rowIds
-- (a statement of "appendMessages")
-- (a statement of "appendMessages")

-- updateMessage: an answer
with old as (
  select position
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
    and ($7::boolean or role is distinct from 'user')
), chat as (
  update "Chat" c
  set
    revision = c.revision + 1,
    digest = case when old.position < c."digestCount" then null else c.digest end,
    "digestCount" = case when old.position < c."digestCount" then 0 else c."digestCount" end,
    "updatedAt" = now()
  from old, "Chat" seen
  where c.id = $1::uuid and c."userId" = $2::uuid
    and seen.id = c.id and seen.revision = c.revision
  returning c.id, c."userId"
)
update "Message" m
set body = $4::json, role = $5::text, "ownIdHash" = $6::bigint
from chat
where m."userId" = chat."userId" and m."chatId" = chat.id and m.id = $3::uuid
returning m.id, m."parentId", m.position, m.role, m."createdAt";

-- updateMessage: a question, on which the preview may depend
begin;
-- (a statement of "saveChat: an edited message, which begins a branch")
-- (a statement of "updateMessage: an answer")
select body
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and role = 'user'
order by position
limit 1;
update "Chat"
set preview = $3::text
where id = $1::uuid and "userId" = $2::uuid;
commit;

-- listMessages: first page
select
  m.id, m."parentId", m.position, m.role, m."createdAt", m.body,
  case
    when m."parentId" is null then array_to_json(array(
      select s.id
      from "Message" s
      where s."userId" = $2::uuid and s."chatId" = $1::uuid and s."parentId" is null
      order by s."createdAt", s.id
    ))
    else array_to_json(array(
      select s.id
      from "Message" s
      where s."userId" = $2::uuid and s."chatId" = $1::uuid and s."parentId" = m."parentId"
      order by s."createdAt", s.id
    ))
  end
from "Message" m
where m."userId" = $2::uuid and m."chatId" = $1::uuid and m.active and m.position < $3::integer
order by m.position desc
limit $4::integer;

-- listMessages: next page
-- (a statement of "listMessages: first page")

-- branchFrom
begin;
-- (a statement of "saveChat: an edited message, which begins a branch")
with recursive up as (
  select id, "parentId", position, active
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
  union all
  select before.id, before."parentId", before.position, before.active
  from up
  join "Message" before
    on before."userId" = $2::uuid and before."chatId" = $1::uuid and before.id = up."parentId"
  where not up.active
)
select id, position, active
from up
order by position desc;
-- (a statement of "saveChat: an edited message, which begins a branch")
-- (a statement of "updateMessage: a question, on which the preview may depend")
-- (a statement of "saveChat: the last message completed")
select id, "parentId", position, role, "createdAt"
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and id = any($3::uuid[])
order by position;
commit;

-- selectBranch
begin;
-- (a statement of "saveChat: an edited message, which begins a branch")
-- (a statement of "branchFrom")
-- (a statement of "saveChat: an edited message, which begins a branch")
update "Message"
set active = true
where "userId" = $2::uuid and "chatId" = $1::uuid and id = any($3::uuid[]) and not active;
with recursive down as (
  select id, position, active
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
  union all
  select child.id, child.position, child.active
  from down
  cross join lateral (
    select id, position, active
    from "Message"
    where "userId" = $2::uuid and "chatId" = $1::uuid and "parentId" = down.id
    order by "createdAt" desc, id desc
    limit 1
  ) child
)
select id, position, active
from down
where id <> $3::uuid
order by position;
-- (a statement of "saveChat: an edited message, which begins a branch")
-- (a statement of "updateMessage: a question, on which the preview may depend")
-- (a statement of "saveChat: the last message completed")
commit;

-- saveMemory
with written as (
  insert into "Memory" (id, user_id, content)
  values ($1::uuid, $2::uuid, $3::text)
  on conflict do nothing
  returning id, user_id, content, created_at
)
select id, user_id, content, created_at
from written
union all
select id, user_id, content, created_at
from "Memory"
where user_id = $2::uuid and md5(content) = md5($3::text) and content = $3::text
  and not exists (select 1 from written);

-- saveMemory: a text that is there
-- (a statement of "saveMemory")

-- getMemoriesByUserId
select "id", "user_id", "content", "created_at" from "Memory" where "Memory"."user_id" = $1 order by "Memory"."created_at" desc, "Memory"."id" desc limit $2 offset $3;

-- findMemoriesByContent
select "id", "user_id", "content", "created_at" from "Memory" where ("Memory"."user_id" = $1 and "Memory"."content" ilike $2) order by "Memory"."created_at" desc, "Memory"."id" desc limit $3 offset $4;

-- listMemories: first page
select "id", "user_id", "content", "created_at" from "Memory" where "Memory"."user_id" = $1 order by "Memory"."created_at" desc, "Memory"."id" desc limit $2;

-- listMemories: next page
select "id", "user_id", "content", "created_at" from "Memory" where ("Memory"."user_id" = $1 and ("Memory"."created_at", "Memory"."id") < ($2::timestamptz, $3::uuid)) order by "Memory"."created_at" desc, "Memory"."id" desc limit $4;

-- updateMemory
update "Memory" set "content" = $1 where ("Memory"."id" = $2 and "Memory"."user_id" = $3) returning "id", "user_id", "content", "created_at";

-- deleteMemoryById
delete from "Memory" where ("Memory"."id" = $1 and "Memory"."user_id" = $2) returning "id", "user_id", "content", "created_at";

-- addTask
insert into "Task" ("id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at") values ($1, $2, $3, default, $4::timestamptz, default, default, default) on conflict do nothing returning "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at";

-- addTask: repeated with its id
insert into "Task" ("id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at") values ($1, $2, $3, default, $4::timestamptz, default, default, default) on conflict do nothing returning "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at";
select "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at" from "Task" where ("Task"."id" = $1 and "Task"."user_id" = $2);

-- getTasksByUserId
select "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at" from "Task" where "Task"."user_id" = $1 order by "Task"."created_at" desc, "Task"."id" desc limit $2 offset $3;

-- listTasks: first page
select "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at" from "Task" where "Task"."user_id" = $1 order by "Task"."created_at" desc, "Task"."id" desc limit $2;

-- listTasks: next page
select "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at" from "Task" where ("Task"."user_id" = $1 and ("Task"."created_at", "Task"."id") < ($2::timestamptz, $3::uuid)) order by "Task"."created_at" desc, "Task"."id" desc limit $4;

-- updateTaskStatus
update "Task" set "description" = coalesce($1::text, "Task"."description"), "status" = coalesce($2::text, "Task"."status"), "due_at" = case
      when $3::boolean then $4::timestamptz
      else "Task"."due_at"
    end, "updated_at" = now(), "status_changed_at" = case when "Task"."status" = coalesce($5::text, "Task"."status") then "Task"."status_changed_at" else now() end where ("Task"."id" = $6 and "Task"."user_id" = $7) returning "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at";

-- updateTaskDescription
-- (a statement of "updateTaskStatus")

-- updateTask
-- (a statement of "updateTaskStatus")

-- deleteTaskById
delete from "Task" where ("Task"."id" = $1 and "Task"."user_id" = $2) returning "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at";

-- createReservation
insert into "Reservation" ("id", "createdAt", "details", "hasCompletedPayment", "userId") values ($1, default, $2::jsonb, default, $3) on conflict do nothing returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- createReservation: repeated
insert into "Reservation" ("id", "createdAt", "details", "hasCompletedPayment", "userId") values ($1, default, $2::jsonb, default, $3) on conflict do nothing returning "id", "createdAt", "details", "hasCompletedPayment", "userId";
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where ("Reservation"."id" = $1 and "Reservation"."userId" = $2);

-- getReservationById
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where "Reservation"."id" = $1;

-- getReservationById: with userId
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where ("Reservation"."id" = $1 and "Reservation"."userId" = $2);

-- updateReservation
update "Reservation" set "hasCompletedPayment" = $1::boolean where "Reservation"."id" = $2 returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- updateReservation: with userId
update "Reservation" set "hasCompletedPayment" = $1::boolean where ("Reservation"."id" = $2 and "Reservation"."userId" = $3) returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- createApiKeyRecord
insert into "ApiKey" ("id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt") values ($1, $2, $3, $4, default, default) returning "id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt";

-- getApiKeysByUserId
select "id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt" from "ApiKey" where "ApiKey"."userId" = $1 order by "ApiKey"."createdAt" desc, "ApiKey"."id" desc limit $2 offset $3;

-- findValidApiKey
select "id", "hashedKey" from "ApiKey" order by "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id";
select "id", "userId", "name", "createdAt", "lastUsedAt" from "ApiKey" where "ApiKey"."id" = $1;

-- findValidApiKey: a key that nobody has
select "id", "hashedKey" from "ApiKey" order by "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id";

-- updateApiKeyLastUsed
update "ApiKey" set "lastUsedAt" = now() where "ApiKey"."id" = $1 returning "userId";

-- deleteApiKeyByIdAndUserId
delete from "ApiKey" where ("ApiKey"."id" = $1 and "ApiKey"."userId" = $2) returning "id";

-- saveProtocol
with changed as (
  insert into "Protocol" (id, user_id, name, description, parts)
  values ($1::uuid, $2::uuid, $3::text, $4::text, $5::jsonb)
  on conflict do nothing
  returning id, user_id, name, description, parts, version, created_at, updated_at
), 
versioned as (
  insert into "ProtocolVersion" (user_id, protocol_id, version, name, description, parts, created_at)
  select user_id, id, version, name, description, parts, updated_at
  from changed
)
select id, user_id, name, description, parts, version, created_at, updated_at
from changed;

-- saveProtocol: repeated with its id
-- (a statement of "saveProtocol")
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where ("Protocol"."id" = $1 and "Protocol"."user_id" = $2);

-- getProtocolById
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where ("Protocol"."id" = $1 and "Protocol"."user_id" = $2);

-- getProtocolsByUserId
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where "Protocol"."user_id" = $1 order by "Protocol"."created_at" desc, "Protocol"."id" desc limit $2 offset $3;

-- listProtocols: first page
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where "Protocol"."user_id" = $1 order by "Protocol"."created_at" desc, "Protocol"."id" desc limit $2;

-- listProtocols: next page
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where ("Protocol"."user_id" = $1 and ("Protocol"."created_at", "Protocol"."id") < ($2::timestamptz, $3::uuid)) order by "Protocol"."created_at" desc, "Protocol"."id" desc limit $4;

-- updateProtocol
with wanted as (
  select
    id,
    coalesce($3::text, name) as name,
    case when $4::boolean then $5::text else description end as description,
    coalesce($6::jsonb, parts) as parts
  from "Protocol"
  where id = $1::uuid and user_id = $2::uuid
  for update
), changed as (
  update "Protocol" p
  set
    name = wanted.name,
    description = wanted.description,
    parts = wanted.parts,
    version = p.version + 1,
    updated_at = now()
  from wanted
  where p.id = wanted.id
    and (p.name, p.description, p.parts) is distinct from (wanted.name, wanted.description, wanted.parts)
  returning p.id, p.user_id, p.name, p.description, p.parts, p.version, p.created_at, p.updated_at
), 
versioned as (
  insert into "ProtocolVersion" (user_id, protocol_id, version, name, description, parts, created_at)
  select user_id, id, version, name, description, parts, updated_at
  from changed
)
select id, user_id, name, description, parts, version, created_at, updated_at
from changed;

-- updateProtocol: nothing new
-- (a statement of "updateProtocol")
select "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at" from "Protocol" where ("Protocol"."id" = $1 and "Protocol"."user_id" = $2);

-- listProtocolVersions: first page
select "user_id", "protocol_id", "version", "name", "description", "parts", "created_at" from "ProtocolVersion" where ("ProtocolVersion"."user_id" = $1 and "ProtocolVersion"."protocol_id" = $2 and "ProtocolVersion"."version" < $3::integer) order by "ProtocolVersion"."version" desc limit $4;

-- listProtocolVersions: next page
select "user_id", "protocol_id", "version", "name", "description", "parts", "created_at" from "ProtocolVersion" where ("ProtocolVersion"."user_id" = $1 and "ProtocolVersion"."protocol_id" = $2 and "ProtocolVersion"."version" < $3::integer) order by "ProtocolVersion"."version" desc limit $4;

-- restoreProtocolVersion
with changed as (
  update "Protocol" p
  set
    name = old.name,
    description = old.description,
    parts = old.parts,
    version = p.version + 1,
    updated_at = now()
  from "ProtocolVersion" old
  where p.id = $1::uuid and p.user_id = $2::uuid
    and old.user_id = $2::uuid and old.protocol_id = $1::uuid and old.version = $3::integer
    and (p.name, p.description, p.parts) is distinct from (old.name, old.description, old.parts)
  returning p.id, p.user_id, p.name, p.description, p.parts, p.version, p.created_at, p.updated_at
), 
versioned as (
  insert into "ProtocolVersion" (user_id, protocol_id, version, name, description, parts, created_at)
  select user_id, id, version, name, description, parts, updated_at
  from changed
)
select id, user_id, name, description, parts, version, created_at, updated_at
from changed;

-- deleteProtocolById
delete from "Protocol" where ("Protocol"."id" = $1 and "Protocol"."user_id" = $2) returning "id", "user_id", "name", "description", "parts", "version", "created_at", "updated_at";

-- transaction: one inside another
begin;
savepoint mytx_1;
select "id", "email", "password", "displayName", "avatarUrl" from "User" where lower("User"."email") = lower($1);
release savepoint mytx_1;
commit;
