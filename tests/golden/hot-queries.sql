-- What each function of the data layer sends to the database, statement by statement.
-- A long one stands where it is sent first. Written by `npm run queries:dump` from calls on an embedded database;
-- do not edit.

-- createUser
begin;
insert into "User" ("id", "email", "password", "displayName", "avatarUrl") values ($1, $2, $3, default, default) returning "id", "email", "displayName", "avatarUrl";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- getUser
select "id", "email", "password", "displayName", "avatarUrl" from "User" where lower("User"."email") = lower($1);

-- verifyPassword
select "id", "email", "password", "displayName", "avatarUrl" from "User" where lower("User"."email") = lower($1);

-- verifyPassword: with a hash of a lower cost than is configured
select "id", "email", "password", "displayName", "avatarUrl" from "User" where lower("User"."email") = lower($1);
update "User"
set password = $3::text
where id = $1::uuid and password = $2::text;

-- changePassword
begin;
with before as (
  select id, password is not null as "hadOne"
  from "User"
  where id = $1::uuid
  for no key update
)
update "User"
set password = $2::text
from before
where "User".id = before.id
returning "User".id, email, "displayName", "avatarUrl", "hadOne";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

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
    "indexedCount" = least("indexedCount", $17::integer),
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
    and (select count(*) from fresh) between 1 and $8::integer - seen."messageCount"
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
    "indexedCount" = least(c."indexedCount", old.position),
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
select
  s.id, s.documents, s."oldestAt", s."newestAt", l.lists,
  null::text, null::timestamptz, null::text, null::uuid
from (
  select *, row_number() over (order by "newestAt" desc) <= (select $6::integer) as "isFirst"
  from "SearchSegment"
  where "userId" = $1::uuid and kind = 'memory' and "oldestAt" <= (select $5::timestamptz)
) s
left join lateral (
  select encode(
    coalesce(string_agg(int4send(list.gram) || int4send(octet_length(list.bytes)) || list.bytes, '') filter (where not octet_length(list.bytes) >= s.documents / 8), '') || case
      when count(*) filter (where not octet_length(list.bytes) >= s.documents / 8) < 4 then coalesce(string_agg(int4send(list.gram) || int4send(octet_length(list.bytes)) || list.bytes, '') filter (where octet_length(list.bytes) >= s.documents / 8), '') else '' end,
    'base64'
  ) as lists
  from (
    select block.gram, substr(block.bytes, 1 + ((get_byte(block.bytes, block.entry + 1) << 14) + (get_byte(block.bytes, block.entry + 1 + 1) << 7) + get_byte(block.bytes, block.entry + 1 + 2)), ((get_byte(block.bytes, block.entry + 6) << 14) + (get_byte(block.bytes, block.entry + 6 + 1) << 7) + get_byte(block.bytes, block.entry + 6 + 2)) - ((get_byte(block.bytes, block.entry + 1) << 14) + (get_byte(block.bytes, block.entry + 1 + 1) << 7) + get_byte(block.bytes, block.entry + 1 + 2))) as bytes
    from (
      select wanted.gram, block.bytes || ''::bytea as bytes, position(int2send((wanted.gram >> 16)::smallint) in block.bytes) as entry
      from unnest((select $2::integer[])) wanted (gram)
      cross join lateral (
        select bytes
        from "SearchBlock"
        where "userId" = $1::uuid and "segmentId" = s.id and number = wanted.gram & ((1 << s."gramBits") - 1)
        offset 0
      ) block
      where s."isFirst"
      offset 0
    ) block
    where block.entry > 0 and block.entry <= ((get_byte(block.bytes, 2) << 14) + (get_byte(block.bytes, 2 + 1) << 7) + get_byte(block.bytes, 2 + 2))
    offset 0
  ) list
  having count(*) = cardinality((select $2::integer[])) and count(*) > 0
) l on true
where l.lists is not null or not s."isFirst"
union all
select null::uuid, null::integer, null::timestamptz, null::timestamptz, null::text, unindexed.*
from (
  select content, created_at, md5(content), id
  from "Memory"
  where user_id = $1::uuid and id >= (select $3::uuid) and (id > (select $3::uuid) or (select $4::integer) < 0) and search_digest is distinct from md5(content)::uuid and content_index is null
  order by content_index, id
  limit 256
) unindexed;

-- listMemories: first page
select "id", "user_id", "content", "created_at" from "Memory" where "Memory"."user_id" = $1 order by "Memory"."created_at" desc, "Memory"."id" desc limit $2;

-- listMemories: next page
select "id", "user_id", "content", "created_at" from "Memory" where ("Memory"."user_id" = $1 and ("Memory"."created_at", "Memory"."id") < ($2::timestamptz, $3::uuid)) order by "Memory"."created_at" desc, "Memory"."id" desc limit $4;

-- updateMemory
update "Memory" set "content" = $1, "content_index" = $2 where ("Memory"."id" = $3 and "Memory"."user_id" = $4) returning "id", "user_id", "content", "created_at";

-- deleteMemoryById
delete from "Memory" where ("Memory"."id" = $1 and "Memory"."user_id" = $2) returning "id", "user_id", "content", "created_at";

-- searchMessages: nothing is indexed
select
  s.id, s.documents, s."oldestAt", s."newestAt", l.lists,
  null::uuid, null::uuid, null::uuid, null::integer, null::varchar, null::timestamptz, null::json, null::integer, null::integer
from (
  select *, row_number() over (order by "newestAt" desc) <= (select $6::integer) as "isFirst"
  from "SearchSegment"
  where "userId" = $1::uuid and kind = 'message' and "oldestAt" <= (select $5::timestamptz)
) s
left join lateral (
  select encode(
    coalesce(string_agg(int4send(list.gram) || int4send(octet_length(list.bytes)) || list.bytes, '') filter (where not octet_length(list.bytes) >= s.documents / 8), '') || case
      when count(*) filter (where not octet_length(list.bytes) >= s.documents / 8) < 4 then coalesce(string_agg(int4send(list.gram) || int4send(octet_length(list.bytes)) || list.bytes, '') filter (where octet_length(list.bytes) >= s.documents / 8), '') else '' end,
    'base64'
  ) as lists
  from (
    select block.gram, substr(block.bytes, 1 + ((get_byte(block.bytes, block.entry + 1) << 14) + (get_byte(block.bytes, block.entry + 1 + 1) << 7) + get_byte(block.bytes, block.entry + 1 + 2)), ((get_byte(block.bytes, block.entry + 6) << 14) + (get_byte(block.bytes, block.entry + 6 + 1) << 7) + get_byte(block.bytes, block.entry + 6 + 2)) - ((get_byte(block.bytes, block.entry + 1) << 14) + (get_byte(block.bytes, block.entry + 1 + 1) << 7) + get_byte(block.bytes, block.entry + 1 + 2))) as bytes
    from (
      select wanted.gram, block.bytes || ''::bytea as bytes, position(int2send((wanted.gram >> 16)::smallint) in block.bytes) as entry
      from unnest((select $2::integer[])) wanted (gram)
      cross join lateral (
        select bytes
        from "SearchBlock"
        where "userId" = $1::uuid and "segmentId" = s.id and number = wanted.gram & ((1 << s."gramBits") - 1)
        offset 0
      ) block
      where s."isFirst"
      offset 0
    ) block
    where block.entry > 0 and block.entry <= ((get_byte(block.bytes, 2) << 14) + (get_byte(block.bytes, 2 + 1) << 7) + get_byte(block.bytes, 2 + 2))
    offset 0
  ) list
  having count(*) = cardinality((select $2::integer[])) and count(*) > 0
) l on true
where l.lists is not null or not s."isFirst"
union all
select null::uuid, null::integer, null::timestamptz, null::timestamptz, null::text, unindexed.*
from (
  select m."chatId", m.id, m."parentId", m.position, m.role, m."createdAt",
  case when pg_column_size(m.body) <= 65536 then m.body end, c.revision, c."indexedCount"
  from "Chat" c
  cross join lateral (
    select *
    from "Message"
    where "userId" = $1::uuid and "chatId" = c.id and active
      and position >= c."indexedCount" and (c.id > (select $3::uuid) or position > (select $4::integer))
    order by position
    limit 256
  ) m
  where c."userId" = $1::uuid and c.id >= (select $3::uuid) and c."indexedCount" < c."messageCount"
  order by c.id, m.position
  limit 256
) unindexed;

-- indexForSearch: with userId
-- (a statement of "searchMessages: nothing is indexed")
begin;
with free as (
  select c.id, given.until
  from unnest($9::uuid[], $10::integer[], $11::integer[], $12::integer[]) as given (id, revision, start, until)
  join "Chat" c on c.id = given.id
  where c."userId" = $1::uuid and c.revision = given.revision and c."indexedCount" = given.start
  for no key update of c skip locked
), advanced as (
  update "Chat" c
  set "indexedCount" = free.until
  from free
  where c.id = free.id and c."userId" = $1::uuid
  returning c.id
), segment as (
  insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
  select $1::uuid, $2::uuid, 'message', $3::integer, $4::integer, $5::timestamptz, $6::timestamptz
  where exists (select from advanced)
  returning "userId", id
)
insert into "SearchBlock" ("userId", "segmentId", number, bytes)
select segment."userId", segment.id, given.number, given.bytes
from segment, unnest($7::integer[], $8::bytea[]) as given (number, bytes);
commit;
select id, documents, "gramBits"
from "SearchSegment"
where "userId" = $1::uuid and kind = $2::text;
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
with free as (
  select m.id, given.digest
  from unnest($9::uuid[], $10::text[]) as given (id, digest)
  join "Memory" m on m.id = given.id
  where m.user_id = $1::uuid and md5(m.content) = given.digest and m.content_index is null
  for no key update of m skip locked
), advanced as (
  update "Memory" m
  set search_digest = free.digest::uuid
  from free
  where m.id = free.id and m.user_id = $1::uuid
  returning m.id
), segment as (
  insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
  select $1::uuid, $2::uuid, 'memory', $3::integer, $4::integer, $5::timestamptz, $6::timestamptz
  where exists (select from advanced)
  returning "userId", id
)
insert into "SearchBlock" ("userId", "segmentId", number, bytes)
select segment."userId", segment.id, given.number, given.bytes
from segment, unnest($7::integer[], $8::bytea[]) as given (number, bytes);
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")

-- searchMessages: first page
-- (a statement of "searchMessages: nothing is indexed")
select place.*, m."chatId", m.id, m."parentId", m.position, m.role, m."createdAt",
  case when pg_column_size(m.body) <= 65536 then m.body end
from (
  select wanted.ordinal::integer as ordinal, place.*
  from unnest((select $2::uuid[]), (select $3::integer[])) with ordinality as wanted ("segmentId", document, ordinal)
  cross join lateral (
    select
      encode(substr(bytes, 1 + first, 16), 'hex')::uuid as id,
      ('x' || encode(substr(bytes, 17 + first, 4), 'hex'))::bit(32)::integer as position,
      ('x' || encode(substr(bytes, 21 + first, 8), 'hex'))::bit(64)::bigint as "atMs"
    from (select *, 28 * (wanted.document % 64) as first from "SearchBlock") b
    where "userId" = $1::uuid and "segmentId" = wanted."segmentId" and number = -1 - wanted.document / 64
    offset 0
  ) place
) place
left join lateral (
  select *
  from "Message"
  where "userId" = $1::uuid and "chatId" = place.id and position = place.position and active
  offset 0
) m on true;

-- searchMessages: next page
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "searchMessages: first page")
-- (a statement of "searchMessages: nothing is indexed")
select "segmentId", 64 * -min(number)
from "SearchBlock"
where "userId" = $1::uuid and "segmentId" = any($2::uuid[]) and number < 0
  and ('x' || encode(substr(bytes, 21, 8), 'hex'))::bit(64)::bigint <= $3::bigint
group by "segmentId";
-- (a statement of "searchMessages: first page")

-- searchMemories
-- (a statement of "findMemoriesByContent")
select place.*, m.*
from (
  select wanted.ordinal::integer as ordinal, place.*
  from unnest((select $2::uuid[]), (select $3::integer[])) with ordinality as wanted ("segmentId", document, ordinal)
  cross join lateral (
    select
      encode(substr(bytes, 1 + first, 16), 'hex')::uuid as id,
      ('x' || encode(substr(bytes, 17 + first, 4), 'hex'))::bit(32)::integer as position,
      ('x' || encode(substr(bytes, 21 + first, 8), 'hex'))::bit(64)::bigint as "atMs"
    from (select *, 28 * (wanted.document % 64) as first from "SearchBlock") b
    where "userId" = $1::uuid and "segmentId" = wanted."segmentId" and number = -1 - wanted.document / 64
    offset 0
  ) place
) place
left join lateral (
  select content, created_at, case when $4::boolean then md5(content) end
  from "Memory"
  where id = place.id and user_id = $1::uuid and content_index is null
  offset 0
) m on true;

-- findMemoriesByContent: indexed
-- (a statement of "findMemoriesByContent")
-- (a statement of "searchMemories")

-- indexForSearch: of all users, when there is nothing to index
select id
from "User"
where id > $1::uuid
order by id
limit 100;
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
-- (a statement of "indexForSearch: of all users, when there is nothing to index")

-- indexForSearch: the eighth small segment makes one of all
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "searchMemories")
begin;
select id
from "SearchSegment"
where "userId" = $1::uuid and id = any($2::uuid[])
order by id
for update;
delete from "SearchSegment"
where "userId" = $1::uuid and id = any($2::uuid[]);
with segment as (
  insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
  select $1::uuid, $2::uuid, 'memory', $3::integer, $4::integer, $5::timestamptz, $6::timestamptz
  where true
  returning "userId", id
)
insert into "SearchBlock" ("userId", "segmentId", number, bytes)
select segment."userId", segment.id, given.number, given.bytes
from segment, unnest($7::integer[], $8::bytea[]) as given (number, bytes);
update "Memory" m
set search_digest = null
from unnest($2::uuid[], $3::text[]) as given (id, digest)
where m.id = given.id and m.user_id = $1::uuid and m.search_digest <> given.digest::uuid;
commit;
-- (a statement of "findMemoriesByContent")
-- (a statement of "saveMemory")
-- (a statement of "searchMessages: nothing is indexed")
-- (a statement of "findMemoriesByContent")
begin;
-- (a statement of "indexForSearch: with userId")
commit;
-- (a statement of "indexForSearch: with userId")
-- (a statement of "findMemoriesByContent")

-- dropSearchIndex
with dropped as (
  delete from "SearchSegment"
  where "userId" = $1::uuid
), chats as (
  update "Chat"
  set "indexedCount" = 0
  where "userId" = $1::uuid and "indexedCount" > 0
)
update "Memory"
set search_digest = null
where user_id = $1::uuid and search_digest is not null;

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
insert into "Reservation" ("id", "createdAt", "details", "hasCompletedPayment", "userId") values ($1, default, $2, default, $3) on conflict do nothing returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- createReservation: repeated
insert into "Reservation" ("id", "createdAt", "details", "hasCompletedPayment", "userId") values ($1, default, $2, default, $3) on conflict do nothing returning "id", "createdAt", "details", "hasCompletedPayment", "userId";
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where ("Reservation"."id" = $1 and "Reservation"."userId" = $2);

-- getReservationById
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where "Reservation"."id" = $1;

-- getReservationById: with userId
select "id", "createdAt", "details", "hasCompletedPayment", "userId" from "Reservation" where ("Reservation"."id" = $1 and "Reservation"."userId" = $2);

-- updateReservation
update "Reservation" set "hasCompletedPayment" = $1::boolean where "Reservation"."id" = $2 returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- updateReservation: with userId
update "Reservation" set "hasCompletedPayment" = $1::boolean where ("Reservation"."id" = $2 and "Reservation"."userId" = $3) returning "id", "createdAt", "details", "hasCompletedPayment", "userId";

-- issueApiKey
begin;
insert into "ApiKey" ("id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt", "prefix", "pepperId", "scopes", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds", "windowStartedAt", "windowCount") values ($1, $2, $3, $4, default, default, $5, $6, $7, $8::timestamptz, default, $9, $10, default, default) returning "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- verifyApiKey
with found as (
  select id, "userId", name, prefix, scopes, "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit",
    "rateWindowSeconds", "pepperId",
    "windowStartedAt" + make_interval(secs => "rateWindowSeconds") as "windowEndsAt",
    case
      when "revokedAt" is not null then 'revoked'
      when "expiresAt" <= statement_timestamp() then 'expired'
      when not scopes @> $2::varchar[] then 'missing_scope'
      when "windowCount" >= "rateLimit"
        and "windowStartedAt" + make_interval(secs => "rateWindowSeconds") > statement_timestamp() then 'rate_limited'
    end as refusal
  from "ApiKey"
  where "hashedKey" = any($1::text[]) and prefix is not null
  limit 1
), due as (
  select key.id
  from found
  join "ApiKey" key on key.id = found.id
  where found.refusal is null
    and found."rateLimit" is null
    and (found."lastUsedAt" is null or found."lastUsedAt" <= statement_timestamp() - interval '1 minute')
    and (key."lastUsedAt" is null or key."lastUsedAt" <= statement_timestamp() - interval '1 minute')
  for no key update of key skip locked
), counted as (
  update "ApiKey" key
  set "lastUsedAt" = case
      when key."lastUsedAt" > statement_timestamp() - interval '1 minute' then key."lastUsedAt"
      else statement_timestamp()
    end,
    "windowStartedAt" = case
      when key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") > statement_timestamp()
        then key."windowStartedAt"
      when key."rateLimit" is not null then statement_timestamp()
    end,
    "windowCount" = case
      when key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") > statement_timestamp()
        then key."windowCount" + 1
      when key."rateLimit" is not null then 1
      else 0
    end
  from found
  where key.id = found.id
    and found.refusal is null
    and (found."rateLimit" is not null or exists (select from due))
    and key."revokedAt" is null
    and (key."expiresAt" is null or key."expiresAt" > statement_timestamp())
    and (
      key."rateLimit" is null
      or key."windowCount" < key."rateLimit"
      or key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") <= statement_timestamp()
    )
  returning key.id
)
select found.id, "userId", name, prefix, scopes, "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit",
  "rateWindowSeconds", "pepperId", refusal,
  ceil(extract(epoch from "windowEndsAt" - statement_timestamp()))::int, counted.id is not null
from found
left join counted on counted.id = found.id;

-- rotateApiKey
begin;
select "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds" from "ApiKey" where (("ApiKey"."id" = $1 and "ApiKey"."userId" = $2) and ("ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp()))) for no key update;
update "ApiKey" set "expiresAt" = least(
      "ApiKey"."expiresAt",
      date_trunc('milliseconds', statement_timestamp()) + make_interval(secs => $1::int)
    ) where ("ApiKey"."id" = $2 and "ApiKey"."userId" = $3);
insert into "ApiKey" ("id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt", "prefix", "pepperId", "scopes", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds", "windowStartedAt", "windowCount") values ($1, $2, $3, $4, default, default, $5, $6, $7, $8::timestamptz, default, $9, $10, default, default) returning "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- listApiKeys: first page
select "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds" from "ApiKey" where "ApiKey"."userId" = $1 order by "ApiKey"."createdAt" desc, "ApiKey"."id" desc limit $2;

-- listApiKeys: next page
select "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds" from "ApiKey" where ("ApiKey"."userId" = $1 and ("ApiKey"."createdAt", "ApiKey"."id") < ($2::timestamptz, $3::uuid)) order by "ApiKey"."createdAt" desc, "ApiKey"."id" desc limit $4;

-- revokeApiKey
begin;
update "ApiKey" set "revokedAt" = statement_timestamp() where (("ApiKey"."id" = $1 and "ApiKey"."userId" = $2) and "ApiKey"."revokedAt" is null) returning "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- revokeApiKey: again
begin;
update "ApiKey" set "revokedAt" = statement_timestamp() where (("ApiKey"."id" = $1 and "ApiKey"."userId" = $2) and "ApiKey"."revokedAt" is null) returning "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds";
select "id", "userId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds" from "ApiKey" where ("ApiKey"."id" = $1 and "ApiKey"."userId" = $2);
commit;

-- createApiKeyRecord
begin;
insert into "ApiKey" ("id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt", "prefix", "pepperId", "scopes", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds", "windowStartedAt", "windowCount") values ($1, $2, $3, $4, default, default, default, default, default, default, default, default, default, default, default) returning "id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- listLegacyApiKeys
select "id", "userId", "name", "createdAt", "lastUsedAt", (left("ApiKey"."hashedKey", 1) = '$' and ("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp()))) from "ApiKey" where "ApiKey"."prefix" is null order by (left("ApiKey"."hashedKey", 1) = '$' and ("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp()))) desc, "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id" limit $1 offset $2;
select count(*), count(*) filter (where (left("ApiKey"."hashedKey", 1) = '$' and ("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp())))) from "ApiKey" where "ApiKey"."prefix" is null;

-- getApiKeysByUserId
select "id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt" from "ApiKey" where "ApiKey"."userId" = $1 order by "ApiKey"."createdAt" desc, "ApiKey"."id" desc limit $2 offset $3;

-- findValidApiKey: an old key, which is upgraded
-- (a statement of "verifyApiKey")
select "id", "userId", "hashedKey" from "ApiKey" where (("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp())) and left("ApiKey"."hashedKey", 1) = '$') order by "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id" limit $1;
begin;
update "ApiKey" set "hashedKey" = $1, "prefix" = $2, "pepperId" = $3 where ("ApiKey"."id" = $4 and "ApiKey"."hashedKey" = $5 and "ApiKey"."prefix" is null) returning "userId";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;
-- (a statement of "verifyApiKey")

-- findValidApiKey: again
-- (a statement of "verifyApiKey")

-- findValidApiKey: an old key that is too short for that
-- (a statement of "verifyApiKey")
select "id", "userId", "hashedKey" from "ApiKey" where (("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp())) and left("ApiKey"."hashedKey", 1) = '$') order by "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id" limit $1;
select "id", "userId", "name", "createdAt", "lastUsedAt" from "ApiKey" where ("ApiKey"."id" = $1 and ("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp())));
update "ApiKey" set "lastUsedAt" = statement_timestamp() where ("ApiKey"."id" = $1 and ("ApiKey"."lastUsedAt" is null or "ApiKey"."lastUsedAt" <= statement_timestamp() - interval '1 minute')) returning "userId";

-- findValidApiKey: a key that nobody has
-- (a statement of "verifyApiKey")
select "id", "userId", "hashedKey" from "ApiKey" where (("ApiKey"."prefix" is null and "ApiKey"."revokedAt" is null and ("ApiKey"."expiresAt" is null or "ApiKey"."expiresAt" > statement_timestamp())) and left("ApiKey"."hashedKey", 1) = '$') order by "ApiKey"."lastUsedAt" desc nulls last, "ApiKey"."id" limit $1;
-- (a statement of "verifyApiKey")

-- updateApiKeyLastUsed
update "ApiKey" set "lastUsedAt" = statement_timestamp() where ("ApiKey"."id" = $1 and ("ApiKey"."lastUsedAt" is null or "ApiKey"."lastUsedAt" <= statement_timestamp() - interval '1 minute')) returning "userId";

-- deleteApiKeyByIdAndUserId
begin;
delete from "ApiKey" where ("ApiKey"."id" = $1 and "ApiKey"."userId" = $2) returning "id";
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

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

-- exportUser
commit;
begin;
select from "User" where id = $1::uuid;
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;
begin isolation level repeatable read;
select current_setting('transaction_isolation');
select (select count(*)::int from "User" where "id" = $1::uuid),
  (select count(*)::int from "Chat" where "userId" = $1::uuid),
  (select count(*)::int from "Message" where "userId" = $1::uuid),
  (select count(*)::int from "Memory" where "user_id" = $1::uuid),
  (select count(*)::int from "Task" where "user_id" = $1::uuid),
  (select count(*)::int from "Reservation" where "userId" = $1::uuid),
  (select count(*)::int from "Protocol" where "user_id" = $1::uuid),
  (select count(*)::int from "ProtocolVersion" where "user_id" = $1::uuid),
  (select count(*)::int from "ApiKey" where "userId" = $1::uuid);
with recursive ours as (
  select oid, relnamespace
  from pg_class
  where oid in (select to_regclass(quote_ident(name)) from unnest($1::text[]) name)
), linked as (
  select oid from ours
  union
  select conrelid
  from pg_constraint
  join linked on confrelid = linked.oid
  where contype = 'f'
)
select class.oid::regclass::text, users.name, users.is_uuid
from pg_class class
left join lateral (
  select attname::text as name, atttypid = 'uuid'::regtype as is_uuid
  from pg_attribute
  where attrelid = class.oid and attnum > 0 and not attisdropped
    and lower(replace(attname, '_', '')) = 'userid'
    and atttypid in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype)
) users on true
where class.relkind in ('r', 'p') and not class.relispartition
  and class.oid not in (select oid from ours)
  and (
    class.oid in (select oid from linked)
    or users.name is not null and class.relnamespace in (select relnamespace from ours)
  )
order by 1, 2;
select transaction_timestamp()::timestamptz(3);
declare "mytx_<id>" no scroll cursor for select "id", "email", "password", "displayName", "avatarUrl"
from (
  select *
  from "User"
  where "id" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "User"
where "id" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 1 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "userId", "title", "preview", "messageCount", "headId", "revision", "digest", "digestCount", "createdAt", "updatedAt"
from (
  select *
  from "Chat"
  where "userId" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "Chat"
where "userId" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 2 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "userId", "chatId", "parentId", "position", "active", "role", "ownIdHash", "createdAt", "body"::text
from (
  select *
  from "Message"
  where "userId" = $1::uuid
  order by "chatId", "position", "id"
) ordered
order by "chatId", "position", "id";
declare "mytx_<id>" no scroll cursor for select octet_length("body"::text)
from "Message"
where "userId" = $1::uuid
order by "chatId", "position", "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 5 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "user_id", "content", "created_at"
from (
  select *
  from "Memory"
  where "user_id" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "Memory"
where "user_id" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 9 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at"
from (
  select *
  from "Task"
  where "user_id" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "Task"
where "user_id" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 1 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "createdAt", "details", "hasCompletedPayment", "userId"
from (
  select *
  from "Reservation"
  where "userId" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "Reservation"
where "userId" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 1 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "user_id", "name", "description", "version", "created_at", "updated_at", "parts"::text
from (
  select *
  from "Protocol"
  where "user_id" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select octet_length("parts"::text)
from "Protocol"
where "user_id" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 1 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "user_id", "protocol_id", "version", "name", "description", "created_at", "parts"::text
from (
  select *
  from "ProtocolVersion"
  where "user_id" = $1::uuid
  order by "protocol_id", "version"
) ordered
order by "protocol_id", "version";
declare "mytx_<id>" no scroll cursor for select octet_length("parts"::text)
from "ProtocolVersion"
where "user_id" = $1::uuid
order by "protocol_id", "version";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 1 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
declare "mytx_<id>" no scroll cursor for select "id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt", "prefix", "pepperId", "scopes", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds", "windowStartedAt", "windowCount"
from (
  select *
  from "ApiKey"
  where "userId" = $1::uuid
  order by "id"
) ordered
order by "id";
declare "mytx_<id>" no scroll cursor for select 0
from "ApiKey"
where "userId" = $1::uuid
order by "id";
fetch forward 5000 from "mytx_<id>";
fetch forward 5000 from "mytx_<id>";
fetch forward 3 from "mytx_<id>";
close "mytx_<id>";
close "mytx_<id>";
commit;

-- eraseUser
begin;
select from "User" where id = $1::uuid for update;
select from "Chat" where "userId" = $1::uuid for update;
delete from "SearchBlock" where "userId" = $1::uuid;
delete from "SearchSegment" where "userId" = $1::uuid;
delete from "ApiKey" where "userId" = $1::uuid;
delete from "ProtocolVersion" where "user_id" = $1::uuid;
delete from "Protocol" where "user_id" = $1::uuid;
delete from "Reservation" where "userId" = $1::uuid;
delete from "Task" where "user_id" = $1::uuid;
delete from "Memory" where "user_id" = $1::uuid;
select array_agg(id)::text, sum(messages)::int
from (
  select "chatId" as id, count(*) as messages, sum(count(*)) over (order by "chatId") / $2::integer as part
  from "Message"
  where "userId" = $1::uuid
  group by "chatId"
) chats
group by ceil(part)
order by ceil(part);
delete from "Message" where "userId" = $1::uuid and "chatId" = any($2::uuid[]);
delete from "Chat" where "userId" = $1::uuid;
delete from "User" where "id" = $1::uuid;
-- (a statement of "exportUser")
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- importUser
begin;
select id = $1::uuid from "User" where id = $1::uuid or lower(email) = lower($2::text);
insert into "User" ("id", "email", "password", "displayName", "avatarUrl")
select given.c0::uuid, given.c1::text, given.c2::text, given.c3::text, given.c4::text
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json)) as given (c0, c1, c2, c3, c4);
insert into "Chat" ("id", "userId", "title", "preview", "messageCount", "headId", "revision", "digest", "digestCount", "createdAt", "updatedAt")
select given.c0::uuid, given.c1::uuid, given.c2::text, given.c3::text, given.c4::integer, given.c5::uuid, given.c6::integer, given.c7::bytea, given.c8::integer, given.c9::timestamptz, given.c10::timestamptz
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json), json_array_elements_text($8::json), json_array_elements_text($9::json), json_array_elements_text($10::json), json_array_elements_text($11::json)) as given (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10);
insert into "Message" ("id", "userId", "chatId", "parentId", "position", "active", "role", "ownIdHash", "createdAt", "body")
select given.c0::uuid, given.c1::uuid, given.c2::uuid, given.c3::uuid, given.c4::integer, given.c5::boolean, given.c6::text, given.c7::bigint, given.c8::timestamptz, given.c9::json
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json), json_array_elements_text($8::json), json_array_elements_text($9::json), json_array_elements($10::json)) as given (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
insert into "Memory" ("id", "user_id", "content", "created_at", "content_index")
select given.c0::uuid, given.c1::uuid, given.c2::text, given.c3::timestamptz, given.c4::bytea
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json)) as given (c0, c1, c2, c3, c4);
insert into "Task" ("id", "user_id", "description", "status", "due_at", "created_at", "updated_at", "status_changed_at")
select given.c0::uuid, given.c1::uuid, given.c2::text, given.c3::text, given.c4::timestamptz, given.c5::timestamptz, given.c6::timestamptz, given.c7::timestamptz
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json), json_array_elements_text($8::json)) as given (c0, c1, c2, c3, c4, c5, c6, c7);
insert into "Reservation" ("id", "createdAt", "details", "hasCompletedPayment", "userId")
select given.c0::uuid, given.c1::timestamptz, given.c2::jsonb, given.c3::boolean, given.c4::uuid
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json)) as given (c0, c1, c2, c3, c4);
insert into "Protocol" ("id", "user_id", "name", "description", "version", "created_at", "updated_at", "parts")
select given.c0::uuid, given.c1::uuid, given.c2::text, given.c3::text, given.c4::integer, given.c5::timestamptz, given.c6::timestamptz, given.c7::jsonb
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json), json_array_elements_text($8::json)) as given (c0, c1, c2, c3, c4, c5, c6, c7);
insert into "ProtocolVersion" ("user_id", "protocol_id", "version", "name", "description", "created_at", "parts")
select given.c0::uuid, given.c1::uuid, given.c2::integer, given.c3::text, given.c4::text, given.c5::timestamptz, given.c6::jsonb
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json)) as given (c0, c1, c2, c3, c4, c5, c6);
insert into "ApiKey" ("id", "userId", "hashedKey", "name", "createdAt", "lastUsedAt", "prefix", "pepperId", "scopes", "expiresAt", "revokedAt", "rateLimit", "rateWindowSeconds", "windowStartedAt", "windowCount")
select given.c0::uuid, given.c1::uuid, given.c2::text, given.c3::text, given.c4::timestamptz, given.c5::timestamptz, given.c6::text, given.c7::text, given.c8::text[], given.c9::timestamptz, given.c10::timestamptz, given.c11::integer, given.c12::integer, given.c13::timestamptz, given.c14::integer
from rows from (json_array_elements_text($1::json), json_array_elements_text($2::json), json_array_elements_text($3::json), json_array_elements_text($4::json), json_array_elements_text($5::json), json_array_elements_text($6::json), json_array_elements_text($7::json), json_array_elements_text($8::json), json_array_elements_text($9::json), json_array_elements_text($10::json), json_array_elements_text($11::json), json_array_elements_text($12::json), json_array_elements_text($13::json), json_array_elements_text($14::json), json_array_elements_text($15::json)) as given (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14);
insert into "AuditEvent" ("id", "at", "action", "subject", "actor", "details") values ($1, default, $2, $3, $4, $5);
commit;

-- listAuditEvents: first page
select "id", "at", "action", "subject", "actor", "details" from "AuditEvent" where "AuditEvent"."id" < $1 order by "AuditEvent"."id" desc limit $2;

-- listAuditEvents: next page
select "id", "at", "action", "subject", "actor", "details" from "AuditEvent" where "AuditEvent"."id" < $1 order by "AuditEvent"."id" desc limit $2;

-- listAuditEvents: of a person: first page
select "id", "at", "action", "subject", "actor", "details" from "AuditEvent" where ("AuditEvent"."subject" = any($1::bytea[]) and "AuditEvent"."id" < $2) order by "AuditEvent"."id" desc limit $3;

-- listAuditEvents: of a person: next page
select "id", "at", "action", "subject", "actor", "details" from "AuditEvent" where ("AuditEvent"."subject" = any($1::bytea[]) and "AuditEvent"."id" < $2) order by "AuditEvent"."id" desc limit $3;
