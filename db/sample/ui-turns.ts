// The turns of a conversation in the parts of AI SDK v7: each builder makes what a user and an assistant say.
// No ids or times of messages here (ui-messages.ts adds them); every kind of part that the sample promises is.

import { dataUrl, documents, pictures } from './attachments.ts';
import type { Scene } from './conversations.ts';
import type { Random } from './random.ts';
import {
  bookingTurn,
  failedTurn,
  guardedTurn,
  newToolCallId,
  oneCallTurn,
  parallelCallsTurn,
  type ToolCall,
  type ToolTurn,
} from './tool-turns.ts';
import { type WebAnswer, webAnswers } from './web-answers.ts';

/** A part: open, as the SDK leaves it (`tool-<name>` and `data-<name>` are types too). */
export interface UiPart {
  type: string;
  [field: string]: unknown;
}

export interface UiTurn {
  user: UiPart[];
  assistant: UiPart[];
}

/** Makes one turn of a conversation. */
export type UiTurnBuilder = (scene: Scene) => UiTurn;

/** The models that answer in the sample; invented, so that no real one is quoted with words it never said. */
export const assistantNames: readonly string[] = ['sample-large-2', 'sample-small-2', 'provider/sample-thinking'];

/** A question and an answer, no more. */
export const plain: UiTurnBuilder = ({ nextText }) => {
  const { question, answer } = nextText();
  return { user: [asked(question)], assistant: [stepStart(), said(answer)] };
};

const withReasoning: UiTurnBuilder = ({ random, nextText }) => {
  const { question, answer } = nextText();
  const thought = {
    type: 'reasoning',
    text: `The user writes: "${[...question].slice(0, 60).join('')}". They want something short, so I will give the result first.`,
    state: 'done',
    providerMetadata: { provider: { signature: random.letters(40) } },
  };
  return { user: [asked(question)], assistant: [stepStart(), thought, said(answer)] };
};

const withSources: UiTurnBuilder = ({ random }) => {
  const web = random.pick(webAnswers);
  const ids = web.sources.map(() => `source-${random.letters(8)}`);
  const found = web.sources.map(({ url, title }, index) => ({ type: 'source-url', sourceId: ids[index], url, title }));
  const output = { results: web.sources.map(({ url, title, quote }) => ({ url, title, snippet: quote })) };
  const call = { toolName: 'webSearch', input: { query: web.query }, output };
  const search = { ...toolPart(random, call), providerExecuted: true };
  return {
    user: [asked(web.question)],
    assistant: [stepStart(), search, ...found, citing(web, ids[0] ?? '')],
  };
};

const oneCall: UiTurnBuilder = ({ random, startTime }) => toolTurn(random, oneCallTurn(random, startTime));

const parallelCalls: UiTurnBuilder = ({ random }) => toolTurn(random, parallelCallsTurn(random));

const booking: UiTurnBuilder = ({ random, startTime }) => toolTurn(random, bookingTurn(random, startTime));

/** The user went away, or stopped it, before the tool had run. */
const unfinishedCall: UiTurnBuilder = ({ random, startTime }) => {
  const { question, steps } = oneCallTurn(random, startTime);
  const { toolName, input } = firstCall(steps);
  return {
    user: [asked(question)],
    assistant: [stepStart(), { ...toolHead(random, toolName), state: 'input-available', input }],
  };
};

const failedCall: UiTurnBuilder = ({ random }) => {
  const { question, toolName, input, errorText, answer } = failedTurn(random);
  const failed = { ...toolHead(random, toolName), state: 'output-error', input, errorText };
  return { user: [asked(question)], assistant: [stepStart(), failed, stepStart(), said(answer)] };
};

const waitingForApproval: UiTurnBuilder = ({ random }) => {
  const { question, toolName, input } = guardedTurn(random);
  const approval = { id: `approval-${random.letters(12)}` };
  const waiting = { ...toolHead(random, toolName), state: 'approval-requested', input, approval };
  return { user: [asked(question)], assistant: [stepStart(), said('I need your word for this one.'), waiting] };
};

const denied: UiTurnBuilder = ({ random }) => {
  const { question, toolName, input, refusalReason, answer } = guardedTurn(random);
  const approval = { id: `approval-${random.letters(12)}`, approved: false, reason: refusalReason };
  const refused = { ...toolHead(random, toolName), state: 'output-denied', input, approval };
  return { user: [asked(question)], assistant: [stepStart(), refused, stepStart(), said(answer)] };
};

/** A tool that is only known when it runs, such as one of an MCP server. */
const dynamicCall: UiTurnBuilder = ({ random, startTime }) => {
  const { question, steps, answer } = oneCallTurn(random, startTime);
  const { toolName, input, output } = firstCall(steps);
  const call = {
    toolName: `mcp_${toolName}`,
    toolCallId: newToolCallId(random),
    state: 'output-available',
    input,
    output,
  };
  return {
    user: [asked(question)],
    assistant: [stepStart(), { type: 'dynamic-tool', ...call }, stepStart(), said(answer)],
  };
};

const withData: UiTurnBuilder = ({ random, startTime }) => {
  const { question, steps, answer } = oneCallTurn(random, startTime);
  const progress = {
    type: 'data-progress',
    id: `progress-${random.letters(6)}`,
    data: { percent: 100, label: 'done ✓', warnings: [] },
  };
  const result = {
    type: 'data-result',
    data: { tool: firstCall(steps).toolName, value: firstCall(steps).output ?? null },
  };
  return { user: [asked(question)], assistant: [stepStart(), progress, result, said(answer)] };
};

/** What only the provider understands, and wants back in the next request. */
const withCustom: UiTurnBuilder = ({ random, nextText }) => {
  const { question, answer } = nextText();
  const compaction = {
    type: 'custom',
    kind: 'provider.compaction',
    providerMetadata: { provider: { itemId: `cmp_${random.letters(20)}`, encryptedContent: random.letters(120) } },
  };
  return { user: [asked(question)], assistant: [stepStart(), compaction, said(answer)] };
};

const picture: UiTurnBuilder = ({ random }) => {
  const attachment = random.pick(pictures);
  const { mediaType, filename, question, answer } = attachment;
  return {
    user: [{ type: 'file', mediaType, filename, url: dataUrl(attachment) }, asked(question)],
    assistant: [stepStart(), said(answer)],
  };
};

const hostedDocument: UiTurnBuilder = ({ random }) => {
  const { mediaType, filename, hostedUrl, question, answer } = random.pick(documents);
  return {
    user: [asked(question), { type: 'file', mediaType, filename, url: hostedUrl }],
    assistant: [stepStart(), said(answer)],
  };
};

const drawnPicture: UiTurnBuilder = ({ random }) => {
  const drawn = random.pick(pictures);
  return {
    user: [asked('Draw it for me, one colour is enough 🎨')],
    assistant: [stepStart(), said('Here it is:'), { type: 'file', mediaType: drawn.mediaType, url: dataUrl(drawn) }],
  };
};

/** How often each kind of turn comes, of each round. */
export const uiTurnBuilders: readonly UiTurnBuilder[] = [
  ...Array.from({ length: 9 }, () => plain),
  ...Array.from({ length: 4 }, () => oneCall),
  ...[withReasoning, withReasoning, withSources, withSources, parallelCalls, booking, unfinishedCall, failedCall],
  ...[waitingForApproval, denied, dynamicCall, withData, withCustom, picture, hostedDocument, drawnPicture],
];

function toolTurn(random: Random, { question, steps, answer }: ToolTurn): UiTurn {
  const calls = steps.flatMap((step) => [stepStart(), ...step.map((call) => toolPart(random, call))]);
  return { user: [asked(question)], assistant: [...calls, stepStart(), said(answer)] };
}

function toolPart(random: Random, { toolName, input, output }: ToolCall): UiPart {
  return { ...toolHead(random, toolName), state: 'output-available', input, output };
}

function toolHead(random: Random, toolName: string): UiPart {
  return { type: `tool-${toolName}`, toolCallId: newToolCallId(random) };
}

function firstCall(steps: ToolCall[][]): ToolCall {
  const call = steps[0]?.[0];
  if (!call) throw new Error('A tool turn has at least one call.');
  return call;
}

function citing({ claim, rest, sources: [source] }: WebAnswer, sourceId: string): UiPart {
  const { url, title, quote } = source;
  const cited = { type: 'source', sourceType: 'url', id: sourceId, url, title };
  return {
    ...said(claim + rest),
    citations: [{ source: cited, startIndex: 0, endIndex: claim.length, citedText: quote }],
  };
}

function stepStart(): UiPart {
  return { type: 'step-start' };
}

function asked(text: string): UiPart {
  return { type: 'text', text };
}

function said(text: string): UiPart {
  return { type: 'text', text, state: 'done' };
}
