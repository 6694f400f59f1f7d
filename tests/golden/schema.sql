-- The schema of a database with every migration: tables, constraints, indexes.
-- Written by `npm run schema:dump` from an embedded database; do not edit.

CREATE SCHEMA drizzle;

CREATE TABLE drizzle.__drizzle_migrations (
    id integer NOT NULL,
    hash text NOT NULL,
    created_at bigint
);

CREATE SEQUENCE drizzle.__drizzle_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq OWNED BY drizzle.__drizzle_migrations.id;

CREATE TABLE public."ApiKey" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    "userId" uuid NOT NULL,
    "hashedKey" text NOT NULL,
    name text NOT NULL,
    "createdAt" timestamp(3) with time zone DEFAULT now() NOT NULL,
    "lastUsedAt" timestamp(3) with time zone,
    prefix character varying(32),
    "pepperId" character varying(32),
    scopes character varying(100)[] DEFAULT '{}'::character varying[] NOT NULL,
    "expiresAt" timestamp(3) with time zone,
    "revokedAt" timestamp(3) with time zone,
    "rateLimit" integer,
    "rateWindowSeconds" integer,
    "windowStartedAt" timestamp(3) with time zone,
    "windowCount" integer DEFAULT 0 NOT NULL,
    CONSTRAINT "ApiKey_hashedKey_check" CHECK (((char_length("hashedKey") >= 1) AND (char_length("hashedKey") <= 255))),
    CONSTRAINT "ApiKey_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT "ApiKey_rate_check" CHECK (((("rateLimit" IS NULL) = ("rateWindowSeconds" IS NULL)) AND ("rateLimit" >= 1) AND ("rateWindowSeconds" >= 1))),
    CONSTRAINT "ApiKey_scopes_check" CHECK ((cardinality(scopes) <= 50))
);

ALTER TABLE ONLY public."ApiKey" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."AuditEvent" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp(3) with time zone DEFAULT now() NOT NULL,
    action character varying(64) NOT NULL,
    subject bytea NOT NULL,
    actor bytea,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT "AuditEvent_details_check" CHECK ((jsonb_typeof(details) = 'object'::text))
);

ALTER TABLE ONLY public."AuditEvent" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Chat" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    "userId" uuid NOT NULL,
    title text,
    preview text,
    "messageCount" integer DEFAULT 0 NOT NULL,
    "headId" uuid,
    revision integer DEFAULT 0 NOT NULL,
    digest bytea,
    "digestCount" integer DEFAULT 0 NOT NULL,
    "createdAt" timestamp(3) with time zone DEFAULT now() NOT NULL,
    "updatedAt" timestamp(3) with time zone DEFAULT now() NOT NULL,
    "indexedCount" integer DEFAULT 0 NOT NULL,
    CONSTRAINT "Chat_counts_check" CHECK ((("messageCount" >= 0) AND (("digestCount" >= 0) AND ("digestCount" <= "messageCount")))),
    CONSTRAINT "Chat_preview_check" CHECK ((char_length(preview) <= 200)),
    CONSTRAINT "Chat_title_check" CHECK ((char_length(title) <= 200))
);

ALTER TABLE ONLY public."Chat" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Memory" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    content text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    content_index bytea,
    search_digest uuid,
    CONSTRAINT "Memory_content_check" CHECK ((((char_length(content) >= 1) AND (char_length(content) <= 10000)) OR ((content_index IS NOT NULL) AND (char_length(content) <= 56000))))
);

ALTER TABLE ONLY public."Memory" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Message" (
    id uuid NOT NULL,
    "userId" uuid NOT NULL,
    "chatId" uuid NOT NULL,
    "parentId" uuid,
    "position" integer NOT NULL,
    active boolean DEFAULT true NOT NULL,
    role character varying(64),
    "ownIdHash" bigint,
    body json NOT NULL,
    "createdAt" timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT "Message_body_check" CHECK (((json_typeof(body) = 'object'::text) AND (octet_length((body)::text) <= 16777216))),
    CONSTRAINT "Message_position_check" CHECK ((("position" >= 0) AND (("position" = 0) = ("parentId" IS NULL))))
);

ALTER TABLE ONLY public."Message" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Protocol" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    parts jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT "Protocol_description_check" CHECK ((char_length(description) <= 10000)),
    CONSTRAINT "Protocol_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT "Protocol_parts_check" CHECK ((jsonb_typeof(parts) = 'array'::text))
);

ALTER TABLE ONLY public."Protocol" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."ProtocolVersion" (
    user_id uuid NOT NULL,
    protocol_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    description text,
    parts jsonb NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT "ProtocolVersion_description_check" CHECK ((char_length(description) <= 10000)),
    CONSTRAINT "ProtocolVersion_name_check" CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT "ProtocolVersion_parts_check" CHECK ((jsonb_typeof(parts) = 'array'::text)),
    CONSTRAINT "ProtocolVersion_version_check" CHECK ((version >= 1))
);

ALTER TABLE ONLY public."ProtocolVersion" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Reservation" (
    id uuid NOT NULL,
    "createdAt" timestamp(3) with time zone DEFAULT now() NOT NULL,
    details jsonb NOT NULL,
    "hasCompletedPayment" boolean DEFAULT false NOT NULL,
    "userId" uuid NOT NULL,
    CONSTRAINT "Reservation_details_check" CHECK ((jsonb_typeof(details) = ANY (ARRAY['object'::text, 'string'::text])))
);

ALTER TABLE ONLY public."Reservation" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."SearchBlock" (
    "userId" uuid NOT NULL,
    "segmentId" uuid NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL
);

ALTER TABLE ONLY public."SearchBlock" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."SearchSegment" (
    "userId" uuid NOT NULL,
    id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    documents integer NOT NULL,
    "gramBits" integer NOT NULL,
    "oldestAt" timestamp(3) with time zone NOT NULL,
    "newestAt" timestamp(3) with time zone NOT NULL,
    CONSTRAINT "SearchSegment_counts_check" CHECK ((((documents >= 1) AND (documents <= 16384)) AND (("gramBits" >= 0) AND ("gramBits" <= 24)))),
    CONSTRAINT "SearchSegment_kind_check" CHECK (((kind)::text = ANY ((ARRAY['message'::character varying, 'memory'::character varying])::text[])))
);

ALTER TABLE ONLY public."SearchSegment" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."Task" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    description text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    due_at timestamp(3) with time zone,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    status_changed_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT "Task_description_check" CHECK (((char_length(description) >= 1) AND (char_length(description) <= 10000))),
    CONSTRAINT "Task_status_check" CHECK ((status = ANY (ARRAY['pending'::text, 'in_progress'::text, 'completed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public."Task" FORCE ROW LEVEL SECURITY;

CREATE TABLE public."User" (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email character varying(64) NOT NULL,
    password character varying(64),
    "displayName" character varying(100),
    "avatarUrl" character varying(255)
);

ALTER TABLE ONLY public."User" FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY drizzle.__drizzle_migrations ALTER COLUMN id SET DEFAULT nextval('drizzle.__drizzle_migrations_id_seq'::regclass);

ALTER TABLE ONLY drizzle.__drizzle_migrations
    ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public."ApiKey"
    ADD CONSTRAINT "ApiKey_hashedKey_key" UNIQUE ("hashedKey");

ALTER TABLE ONLY public."ApiKey"
    ADD CONSTRAINT "ApiKey_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."AuditEvent"
    ADD CONSTRAINT "AuditEvent_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."Chat"
    ADD CONSTRAINT "Chat_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."Chat"
    ADD CONSTRAINT "Chat_userId_id_key" UNIQUE ("userId", id);

ALTER TABLE ONLY public."Memory"
    ADD CONSTRAINT "Memory_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."Message"
    ADD CONSTRAINT "Message_pkey" PRIMARY KEY ("userId", "chatId", id);

ALTER TABLE ONLY public."ProtocolVersion"
    ADD CONSTRAINT "ProtocolVersion_pkey" PRIMARY KEY (user_id, protocol_id, version);

ALTER TABLE ONLY public."Protocol"
    ADD CONSTRAINT "Protocol_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."Protocol"
    ADD CONSTRAINT "Protocol_user_id_id_key" UNIQUE (user_id, id);

ALTER TABLE ONLY public."Reservation"
    ADD CONSTRAINT "Reservation_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."SearchBlock"
    ADD CONSTRAINT "SearchBlock_pkey" PRIMARY KEY ("userId", "segmentId", number);

ALTER TABLE ONLY public."SearchSegment"
    ADD CONSTRAINT "SearchSegment_pkey" PRIMARY KEY ("userId", id);

ALTER TABLE ONLY public."Task"
    ADD CONSTRAINT "Task_pkey" PRIMARY KEY (id);

ALTER TABLE ONLY public."User"
    ADD CONSTRAINT "User_pkey" PRIMARY KEY (id);

CREATE INDEX "ApiKey_legacy_idx" ON public."ApiKey" USING btree (id) WHERE (prefix IS NULL);

CREATE INDEX "ApiKey_userId_createdAt_id_idx" ON public."ApiKey" USING btree ("userId", "createdAt", id);

CREATE INDEX "AuditEvent_subject_at_id_idx" ON public."AuditEvent" USING btree (subject, at, id);

CREATE INDEX "Chat_userId_createdAt_id_idx" ON public."Chat" USING btree ("userId", "createdAt", id);

CREATE INDEX "Memory_unindexed_idx" ON public."Memory" USING btree (user_id, content_index, id) WHERE ((search_digest IS DISTINCT FROM (md5(content))::uuid) AND (content_index IS NULL));

CREATE UNIQUE INDEX "Memory_user_id_content_index_key" ON public."Memory" USING btree (user_id, content_index) WHERE (content_index IS NOT NULL);

CREATE UNIQUE INDEX "Memory_user_id_content_key" ON public."Memory" USING btree (user_id, md5(content));

CREATE INDEX "Memory_user_id_created_at_id_idx" ON public."Memory" USING btree (user_id, created_at, id);

CREATE INDEX "Message_ownIdHash_chatId_idx" ON public."Message" USING btree ("ownIdHash", "chatId") WHERE ("ownIdHash" IS NOT NULL);

CREATE INDEX "Message_parentId_idx" ON public."Message" USING btree ("parentId" NULLS FIRST);

CREATE UNIQUE INDEX "Message_userId_chatId_position_key" ON public."Message" USING btree ("userId", "chatId", "position") WHERE active;

CREATE INDEX "Protocol_user_id_created_at_id_idx" ON public."Protocol" USING btree (user_id, created_at, id);

CREATE INDEX "Reservation_userId_createdAt_id_idx" ON public."Reservation" USING btree ("userId", "createdAt", id);

CREATE INDEX "Task_user_id_created_at_id_idx" ON public."Task" USING btree (user_id, created_at, id);

CREATE UNIQUE INDEX "User_email_key" ON public."User" USING btree (lower((email)::text));

ALTER TABLE ONLY public."ApiKey"
    ADD CONSTRAINT "ApiKey_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Chat"
    ADD CONSTRAINT "Chat_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Memory"
    ADD CONSTRAINT "Memory_user_id_fkey" FOREIGN KEY (user_id) REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Message"
    ADD CONSTRAINT "Message_userId_chatId_fkey" FOREIGN KEY ("userId", "chatId") REFERENCES public."Chat"("userId", id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Message"
    ADD CONSTRAINT "Message_userId_chatId_parentId_fkey" FOREIGN KEY ("userId", "chatId", "parentId") REFERENCES public."Message"("userId", "chatId", id);

ALTER TABLE ONLY public."ProtocolVersion"
    ADD CONSTRAINT "ProtocolVersion_user_id_protocol_id_fkey" FOREIGN KEY (user_id, protocol_id) REFERENCES public."Protocol"(user_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Protocol"
    ADD CONSTRAINT "Protocol_user_id_fkey" FOREIGN KEY (user_id) REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Reservation"
    ADD CONSTRAINT "Reservation_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."SearchBlock"
    ADD CONSTRAINT "SearchBlock_userId_segmentId_fkey" FOREIGN KEY ("userId", "segmentId") REFERENCES public."SearchSegment"("userId", id) ON DELETE CASCADE;

ALTER TABLE ONLY public."SearchSegment"
    ADD CONSTRAINT "SearchSegment_userId_fkey" FOREIGN KEY ("userId") REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public."Task"
    ADD CONSTRAINT "Task_user_id_fkey" FOREIGN KEY (user_id) REFERENCES public."User"(id) ON DELETE CASCADE;

ALTER TABLE public."ApiKey" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "ApiKey_service_policy" ON public."ApiKey" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "ApiKey_user_policy" ON public."ApiKey" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."AuditEvent" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "AuditEvent_insert_policy" ON public."AuditEvent" FOR INSERT TO mytx_user, mytx_service WITH CHECK (true);

CREATE POLICY "AuditEvent_select_policy" ON public."AuditEvent" FOR SELECT TO mytx_service USING (true);

ALTER TABLE public."Chat" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Chat_service_policy" ON public."Chat" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Chat_user_policy" ON public."Chat" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."Memory" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Memory_service_policy" ON public."Memory" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Memory_user_policy" ON public."Memory" TO mytx_user USING ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."Message" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Message_service_policy" ON public."Message" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Message_user_policy" ON public."Message" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."Protocol" ENABLE ROW LEVEL SECURITY;

ALTER TABLE public."ProtocolVersion" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "ProtocolVersion_service_policy" ON public."ProtocolVersion" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "ProtocolVersion_user_policy" ON public."ProtocolVersion" TO mytx_user USING ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

CREATE POLICY "Protocol_service_policy" ON public."Protocol" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Protocol_user_policy" ON public."Protocol" TO mytx_user USING ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."Reservation" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Reservation_service_policy" ON public."Reservation" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Reservation_user_policy" ON public."Reservation" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."SearchBlock" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "SearchBlock_service_policy" ON public."SearchBlock" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "SearchBlock_user_policy" ON public."SearchBlock" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."SearchSegment" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "SearchSegment_service_policy" ON public."SearchSegment" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "SearchSegment_user_policy" ON public."SearchSegment" TO mytx_user USING (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK (("userId" = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."Task" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Task_service_policy" ON public."Task" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "Task_user_policy" ON public."Task" TO mytx_user USING ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((user_id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));

ALTER TABLE public."User" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "User_service_policy" ON public."User" TO mytx_service USING (true) WITH CHECK (true);

CREATE POLICY "User_user_policy" ON public."User" TO mytx_user USING ((id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((id = ( SELECT (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid AS "nullif")));
