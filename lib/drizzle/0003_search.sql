CREATE TABLE "SearchBlock" (
	"userId" uuid NOT NULL,
	"segmentId" uuid NOT NULL,
	"number" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "SearchBlock_pkey" PRIMARY KEY("userId","segmentId","number")
);
--> statement-breakpoint
CREATE TABLE "SearchSegment" (
	"userId" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" varchar(8) NOT NULL,
	"documents" integer NOT NULL,
	"gramBits" integer NOT NULL,
	"oldestAt" timestamp (3) with time zone NOT NULL,
	"newestAt" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "SearchSegment_pkey" PRIMARY KEY("userId","id"),
	CONSTRAINT "SearchSegment_kind_check" CHECK ("SearchSegment"."kind" in ('message', 'memory')),
	CONSTRAINT "SearchSegment_counts_check" CHECK ("SearchSegment"."documents" between 1 and 8192 and "SearchSegment"."gramBits" between 0 and 24)
);
--> statement-breakpoint
ALTER TABLE "Chat" ADD COLUMN "indexedCount" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "Memory" ADD COLUMN "search_digest" uuid;--> statement-breakpoint
ALTER TABLE "SearchBlock" ADD CONSTRAINT "SearchBlock_userId_segmentId_fkey" FOREIGN KEY ("userId","segmentId") REFERENCES "public"."SearchSegment"("userId","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "SearchSegment" ADD CONSTRAINT "SearchSegment_userId_fkey" FOREIGN KEY ("userId") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "Memory_unindexed_idx" ON "Memory" USING btree ("user_id","content_index","id") WHERE "Memory"."search_digest" is distinct from md5("Memory"."content")::uuid and "Memory"."content_index" is null;--> statement-breakpoint
-- Who may see what, as in 0002_row_level_security.sql: only where it could be put on there.
do $$
declare
  search_table text;
begin
  if not (select relrowsecurity from pg_catalog.pg_class where oid = to_regclass('"Chat"')) then
    return;
  end if;
  foreach search_table in array array['SearchSegment', 'SearchBlock'] loop
    execute format('alter table %I enable row level security', search_table);
    execute format('alter table %I force row level security', search_table);
    execute format('grant select, insert, update, delete on %I to mytx_user, mytx_service', search_table);
    execute format(
      'create policy %I on %I to mytx_service using (true) with check (true)',
      search_table || '_service_policy', search_table
    );
    execute format(
      'create policy %I on %I to mytx_user using ("userId" = (select nullif(current_setting(''app.user_id'', true), '''')::uuid)) '
      'with check ("userId" = (select nullif(current_setting(''app.user_id'', true), '''')::uuid))',
      search_table || '_user_policy', search_table
    );
  end loop;
end $$;
