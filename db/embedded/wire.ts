// PostgreSQL's messages (protocol 3.0), as far as the socket of the embedded database looks into them.
// Knows nothing of who sends them.

/** A message of the server, a part of a larger buffer. */
export interface ServerMessage {
  type: string;
  /** With its header. */
  bytes: Buffer;
  body: Buffer;
}

const headerBytes = 5;
const dataRow = 'D'.charCodeAt(0);

/** The messages of an answer, one after another; rows only where they are asked for, because there may be millions. */
export function* messagesOf(answer: Buffer, withRows = false): Generator<ServerMessage> {
  for (let at = 0; at + headerBytes <= answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1);
    if (withRows || answer[at] !== dataRow) {
      yield {
        type: String.fromCharCode(answer[at] as number),
        bytes: answer.subarray(at, end),
        body: answer.subarray(at + headerBytes, end),
      };
    }
    at = end;
  }
}

function message(type: string, ...parts: (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const header = Buffer.alloc(headerBytes);
  header.write(type, 0, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

const none = new Uint8Array(0);

export const queryMessage = (text: string): Buffer => message('Q', text);
export const syncMessage: Buffer = message('S', none);
export const readyForQuery: Buffer = message('Z', Buffer.from('I'));
export const parameterStatus = (name: string, value: string): Buffer => message('S', name, value);

/** A parse message that makes `text` the statement of that name. */
export const parseMessage = (name: string, text: string): Buffer => message('P', name, text, Buffer.alloc(2));

/** A failure as PostgreSQL tells it; `hint` is what to do next. */
export function errorMessage(severity: 'ERROR' | 'FATAL', sqlState: string, text: string, hint = ''): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${sqlState}`, `M${text}`, ...(hint ? [`H${hint}`] : [])];
  return message('E', ...fields, Buffer.alloc(1));
}

/** What a client says first, as a map; undefined when it is not a start-up message of protocol 3. */
export function readStartup(bytes: Uint8Array): Map<string, string> | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 9 || buffer.readInt16BE(4) !== 3) return undefined;
  const texts = buffer.toString('utf8', 8).split('\0');
  const parameters = new Map<string, string>();
  for (let i = 0; i + 1 < texts.length && texts[i] !== ''; i += 2)
    parameters.set(texts[i] as string, texts[i + 1] ?? '');
  return parameters;
}

/** The start-up message of protocol 3.0. */
export function startupMessage(parameters: Record<string, string>): Buffer {
  const body = Buffer.from(`${Object.entries(parameters).flat().join('\0')}\0\0`);
  const header = Buffer.alloc(8);
  header.writeInt32BE(body.length + 8, 0);
  header.writeInt32BE(3 << 16, 4);
  return Buffer.concat([header, body]);
}

/** The first two texts of a body: of a parse message the statement's name and its SQL. */
export function textsOf(body: Buffer, offset = 0): [string, string] {
  const first = body.indexOf(0, offset);
  const second = body.indexOf(0, first + 1);
  return [body.toString('utf8', offset, first), body.toString('utf8', first + 1, second === -1 ? body.length : second)];
}

/** The columns of a DataRow as texts. */
export function columnsOf(body: Buffer): (string | null)[] {
  const columns: (string | null)[] = [];
  for (let at = 2, left = body.readInt16BE(0); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    columns.push(length === -1 ? null : body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return columns;
}

/** The text of an ErrorResponse. */
export function errorTextOf(body: Buffer): string {
  const field = body
    .toString('utf8')
    .split('\0')
    .find((text) => text.startsWith('M'));
  return field?.slice(1) ?? 'unknown error';
}
