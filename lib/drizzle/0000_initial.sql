CREATE TABLE "ApiKey" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"userId" uuid NOT NULL,
	"hashedKey" text NOT NULL,
	"name" text NOT NULL,
	"createdAt" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"lastUsedAt" timestamp (3) with time zone,
	CONSTRAINT "ApiKey_hashedKey_key" UNIQUE("hashedKey"),
	CONSTRAINT "ApiKey_name_check" CHECK (char_length("ApiKey"."name") between 1 and 100),
	CONSTRAINT "ApiKey_hashedKey_check" CHECK (char_length("ApiKey"."hashedKey") between 1 and 255)
);
--> statement-breakpoint
CREATE TABLE "Chat" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"userId" uuid NOT NULL,
	"title" text,
	"preview" text,
	"messageCount" integer DEFAULT 0 NOT NULL,
	"headId" uuid,
	"revision" integer DEFAULT 0 NOT NULL,
	"digest" "bytea",
	"digestCount" integer DEFAULT 0 NOT NULL,
	"createdAt" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updatedAt" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "Chat_userId_id_key" UNIQUE("userId","id"),
	CONSTRAINT "Chat_title_check" CHECK (char_length("Chat"."title") <= 200),
	CONSTRAINT "Chat_preview_check" CHECK (char_length("Chat"."preview") <= 200),
	CONSTRAINT "Chat_counts_check" CHECK ("Chat"."messageCount" >= 0 and "Chat"."digestCount" between 0 and "Chat"."messageCount")
);
--> statement-breakpoint
CREATE TABLE "Memory" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"content" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "Memory_content_check" CHECK (char_length("Memory"."content") between 1 and 10000)
);
--> statement-breakpoint
CREATE TABLE "Message" (
	"id" uuid NOT NULL,
	"userId" uuid NOT NULL,
	"chatId" uuid NOT NULL,
	"parentId" uuid,
	"position" integer NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"role" varchar(64),
	"ownIdHash" bigint,
	"body" json NOT NULL,
	"createdAt" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "Message_pkey" PRIMARY KEY("userId","chatId","id"),
	CONSTRAINT "Message_position_check" CHECK ("Message"."position" >= 0 and ("Message"."position" = 0) = ("Message"."parentId" is null)),
	CONSTRAINT "Message_body_check" CHECK (json_typeof("Message"."body") = 'object' and octet_length("Message"."body"::text) <= 16777216)
);
--> statement-breakpoint
CREATE TABLE "Reservation" (
	"id" uuid PRIMARY KEY NOT NULL,
	"createdAt" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"details" jsonb NOT NULL,
	"hasCompletedPayment" boolean DEFAULT false NOT NULL,
	"userId" uuid NOT NULL,
	CONSTRAINT "Reservation_details_check" CHECK (jsonb_typeof("Reservation"."details") = 'object')
);
--> statement-breakpoint
CREATE TABLE "Task" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"description" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"due_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"status_changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "Task_description_check" CHECK (char_length("Task"."description") between 1 and 10000),
	CONSTRAINT "Task_status_check" CHECK ("Task"."status" in ('pending', 'in_progress', 'completed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "User" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"email" varchar(64) NOT NULL,
	"password" varchar(64),
	"displayName" varchar(100),
	"avatarUrl" varchar(255)
);
--> statement-breakpoint
CREATE TABLE "ProtocolVersion" (
	"user_id" uuid NOT NULL,
	"protocol_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"parts" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ProtocolVersion_pkey" PRIMARY KEY("user_id","protocol_id","version"),
	CONSTRAINT "ProtocolVersion_version_check" CHECK ("ProtocolVersion"."version" >= 1),
	CONSTRAINT "ProtocolVersion_name_check" CHECK (char_length("ProtocolVersion"."name") between 1 and 200),
	CONSTRAINT "ProtocolVersion_description_check" CHECK (char_length("ProtocolVersion"."description") <= 10000),
	CONSTRAINT "ProtocolVersion_parts_check" CHECK (jsonb_typeof("ProtocolVersion"."parts") = 'array')
);
--> statement-breakpoint
CREATE TABLE "Protocol" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"parts" jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "Protocol_user_id_id_key" UNIQUE("user_id","id"),
	CONSTRAINT "Protocol_name_check" CHECK (char_length("Protocol"."name") between 1 and 200),
	CONSTRAINT "Protocol_description_check" CHECK (char_length("Protocol"."description") <= 10000),
	CONSTRAINT "Protocol_parts_check" CHECK (jsonb_typeof("Protocol"."parts") = 'array')
);
--> statement-breakpoint
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Chat" ADD CONSTRAINT "Chat_userId_fkey" FOREIGN KEY ("userId") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Memory" ADD CONSTRAINT "Memory_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Message" ADD CONSTRAINT "Message_userId_chatId_fkey" FOREIGN KEY ("userId","chatId") REFERENCES "public"."Chat"("userId","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Message" ADD CONSTRAINT "Message_userId_chatId_parentId_fkey" FOREIGN KEY ("userId","chatId","parentId") REFERENCES "public"."Message"("userId","chatId","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_userId_fkey" FOREIGN KEY ("userId") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Task" ADD CONSTRAINT "Task_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ProtocolVersion" ADD CONSTRAINT "ProtocolVersion_user_id_protocol_id_fkey" FOREIGN KEY ("user_id","protocol_id") REFERENCES "public"."Protocol"("user_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "Protocol" ADD CONSTRAINT "Protocol_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."User"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ApiKey_userId_createdAt_id_idx" ON "ApiKey" USING btree ("userId","createdAt","id");--> statement-breakpoint
CREATE INDEX "Chat_userId_createdAt_id_idx" ON "Chat" USING btree ("userId","createdAt","id");--> statement-breakpoint
CREATE UNIQUE INDEX "Memory_user_id_content_key" ON "Memory" USING btree ("user_id",md5("content"));--> statement-breakpoint
CREATE INDEX "Memory_user_id_created_at_id_idx" ON "Memory" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "Message_userId_chatId_position_key" ON "Message" USING btree ("userId","chatId","position") WHERE "Message"."active";--> statement-breakpoint
CREATE INDEX "Message_parentId_idx" ON "Message" USING btree ("parentId" NULLS FIRST);--> statement-breakpoint
CREATE INDEX "Message_ownIdHash_chatId_idx" ON "Message" USING btree ("ownIdHash","chatId") WHERE "Message"."ownIdHash" is not null;--> statement-breakpoint
CREATE INDEX "Reservation_userId_createdAt_id_idx" ON "Reservation" USING btree ("userId","createdAt","id");--> statement-breakpoint
CREATE INDEX "Task_user_id_created_at_id_idx" ON "Task" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "User_email_key" ON "User" USING btree (lower("email"));--> statement-breakpoint
CREATE INDEX "Protocol_user_id_created_at_id_idx" ON "Protocol" USING btree ("user_id","created_at","id");