// Conversations in the `CoreMessage` shape of AI SDK v3: no ids, no times, content as a string or as parts.
// Plain JSON values only, and each tool call is followed by its result, as a provider demands.
// Messages come one at a time: a conversation of a million needs no more memory than one of ten.

import { type Attachment, dataUrl, documents, pictures } from './attachments.ts';
import { type ConversationOptions, openScene, type Scene } from './conversations.ts';
import type { Random } from './random.ts';
import {
  bookingTurn,
  failedTurn,
  newToolCallId,
  oneCallTurn,
  parallelCallsTurn,
  type ToolCall,
  type ToolTurn,
} from './tool-turns.ts';

export interface TextPart {
  type: 'text';
  text: string;
}

export interface ToolCallPart {
  type: 'tool-call';
  toolCallId: string;
  toolName: string;
  args: unknown;
}

export interface ToolResultPart {
  type: 'tool-result';
  toolCallId: string;
  toolName: string;
  result: unknown;
  isError?: boolean;
}

export type UserPart =
  | TextPart
  | { type: 'image'; image: string; mimeType?: string }
  | { type: 'file'; data: string; mimeType: string };

export type CoreMessage = (
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | UserPart[] }
  | { role: 'assistant'; content: string | Array<TextPart | ToolCallPart> }
  | { role: 'tool'; content: ToolResultPart[] }
) & { experimental_providerMetadata?: Record<string, Record<string, unknown>> };

type TurnBuilder = (scene: Scene) => CoreMessage[];

const longEnoughForSystem = 20;

/**
 * A conversation of exactly `messageCount` messages. One that is not small has every kind of part in it; an odd
 * number may end with a question that nobody answered.
 * @throws RangeError where the count is not a whole number from 0
 * @example [...coreConversation(new Random(1), 4)] // [{ role: 'user', content: '…' }, …]
 */
export function* coreConversation(
  random: Random,
  messageCount: number,
  options: ConversationOptions = {},
): Generator<CoreMessage, void, void> {
  const scene = openScene(random, messageCount, options);
  const builders = random.deal(turnBuilders);

  let build = plain; // first, so that a chat begins with what its title says
  let remaining = messageCount;
  if (remaining >= longEnoughForSystem || (remaining > 2 && random.chance(40))) {
    yield { role: 'system', content: scene.subject.systemPrompt };
    remaining--;
  }
  while (remaining > 0) {
    const turn = turnThatFits(scene, build, remaining);
    yield* turn;
    remaining -= turn.length;
    build = builders.next().value;
  }
}

/** What the builder makes, or a plain turn where that is too long; never a call without its result. */
function turnThatFits(scene: Scene, build: TurnBuilder, remaining: number): CoreMessage[] {
  const turn = build(scene);
  return turn.length <= remaining ? turn : plain(scene).slice(0, remaining);
}

const plain: TurnBuilder = ({ nextText }) => {
  const { question, answer } = nextText();
  return [user(question), assistant(answer)];
};

const inParts: TurnBuilder = ({ nextText }) => {
  const { question, answer } = nextText();
  return [user([text(question)]), assistant(answer.split(/\n\n(?=\S)/).map(text))];
};

const secondThought: TurnBuilder = ({ nextText }) => {
  const first = nextText();
  const second = nextText();
  return [user(first.question), user(second.question), assistant(`${first.answer}\n\n${second.answer}`)];
};

const oneCall: TurnBuilder = ({ random, startTime }) => toolMessages(random, oneCallTurn(random, startTime));

const parallelCalls: TurnBuilder = ({ random }) => toolMessages(random, parallelCallsTurn(random));

const booking: TurnBuilder = ({ random, startTime }) => toolMessages(random, bookingTurn(random, startTime));

const failedCall: TurnBuilder = ({ random }) => {
  const { question, toolName, input, errorText, answer } = failedTurn(random);
  const toolCallId = newToolCallId(random);
  return [
    user(question),
    assistant([{ type: 'tool-call', toolCallId, toolName, args: input }]),
    { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, result: errorText, isError: true }] },
    assistant(answer),
  ];
};

const picture: TurnBuilder = ({ random }) => {
  const attachment = random.pick(pictures);
  const { question, answer, mediaType } = attachment;
  return [
    user([text(question), { type: 'image', image: imageOf(random, attachment), mimeType: mediaType }]),
    assistant(answer),
  ];
};

const document: TurnBuilder = ({ random }) => {
  const { question, answer, base64, mediaType } = random.pick(documents);
  const asked = user([{ type: 'file', data: base64, mimeType: mediaType }, text(question)]);
  const cached = { ...asked, experimental_providerMetadata: { anthropic: { cacheControl: { type: 'ephemeral' } } } };
  return [cached, assistant(answer)];
};

/** How often each kind of turn comes, of each round. */
const turnBuilders: readonly TurnBuilder[] = [
  ...Array.from({ length: 8 }, () => plain),
  ...Array.from({ length: 4 }, () => oneCall),
  ...[inParts, secondThought, parallelCalls, booking, failedCall, picture, document],
];

function toolMessages(random: Random, { question, steps, answer }: ToolTurn): CoreMessage[] {
  return [user(question), ...steps.flatMap((calls, step) => stepMessages(random, calls, step)), assistant(answer)];
}

function stepMessages(random: Random, calls: readonly ToolCall[], step: number): CoreMessage[] {
  const called = calls.map((call) => ({ ...call, toolCallId: newToolCallId(random) }));
  const spoken = step === 0 && random.chance(40) ? [text('Let me look that up.')] : [];
  return [
    assistant([
      ...spoken,
      ...called.map(({ toolCallId, toolName, input }) => ({
        type: 'tool-call' as const,
        toolCallId,
        toolName,
        args: input,
      })),
    ]),
    {
      role: 'tool',
      content: called.map(({ toolCallId, toolName, output }) => ({
        type: 'tool-result',
        toolCallId,
        toolName,
        result: output,
      })),
    },
  ];
}

function imageOf(random: Random, attachment: Attachment): string {
  return random.chance(70) ? dataUrl(attachment) : attachment.base64; // v3 takes both
}

function text(value: string): TextPart {
  return { type: 'text', text: value };
}

function user(content: string | UserPart[]): CoreMessage {
  return { role: 'user', content };
}

function assistant(content: string | Array<TextPart | ToolCallPart>): CoreMessage {
  return { role: 'assistant', content };
}
