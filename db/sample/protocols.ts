// Five protocols, the lists of parts that an assistant follows, with the versions each one went through.
// They do not depend on the seed: a protocol is short, and its history has to make sense.

import { chloe, daniel, maya } from './users.ts';

export interface ProtocolPart {
  content: string;
  [unknownField: string]: unknown;
}

/** What a version of a protocol says; each version says all of it. */
export interface ProtocolVersion {
  name: string;
  description: string | null;
  parts: ProtocolPart[];
}

export interface SampleProtocol extends ProtocolVersion {
  userEmail: string;
  /** What it was changed to afterwards, oldest first. */
  revisions: ProtocolVersion[];
}

/** Five protocols; new objects each time, so that a caller may change them. */
export function sampleProtocols(): SampleProtocol[] {
  return [morningBriefing(), packingList(), podcastScript(), reviewRules(), letterToLandlord()];
}

function morningBriefing(): SampleProtocol {
  const weather = 'Say the weather in one sentence 🌤️, with the high and the low.';
  const tasks = 'Name at most three tasks that are due today.';
  return {
    userEmail: maya,
    ...version('Morning briefing', null, [weather, tasks]),
    revisions: [
      version('Morning briefing', 'Under one minute, read aloud', [weather, tasks]),
      version('Morning briefing', 'Under one minute, read aloud', [weather, tasks, 'End with one word of Portuguese.']),
      version('תדריך בוקר', 'פחות מדקה, בקול רם', [
        'מזג האוויר במשפט אחד 🌤️',
        'עד 3 משימות להיום',
        'מילה אחת ב־Português',
      ]),
    ],
  };
}

function packingList(): SampleProtocol {
  const documents = 'Passports, insurance card, boarding passes (PDF, offline).';
  return {
    userEmail: maya,
    ...version('Packing for four 👨‍👩‍👧‍👦', 'Carry-on only', [documents, 'One pair of shoes each, on the feet.']),
    revisions: [
      version('Packing for four 👨‍👩‍👧‍👦', 'Carry-on only', [
        documents,
        'Two pairs of shoes each. We tried one.',
        'Pixel’s food 🐕',
      ]),
    ],
  };
}

/** One part has fields that this project does not know. */
function podcastScript(): SampleProtocol {
  const opening = {
    content: 'Welcome! Today: "Why do tests flake?"',
    durationSeconds: 20,
    speaker: { name: 'Daniel', mood: 'calm' },
  };
  const body = { content: 'Tell the story of C:\\temp\\new first, then the rule.\n\n- shared state\n- time\n- order' };
  return {
    userEmail: daniel,
    name: 'Podcast script',
    description: 'For the teleprompter; pause at empty lines',
    parts: [opening, body],
    revisions: [
      { name: 'Podcast script', description: null, parts: [opening, body, { content: 'Thank you for listening 🎧' }] },
      { name: 'Podcast script, take 2', description: null, parts: [body, { content: 'Thank you for listening 🎧' }] },
    ],
  };
}

function reviewRules(): SampleProtocol {
  return {
    userEmail: daniel,
    ...version('How to review', '', [
      'Say what is wrong first.',
      'Show the smallest fix.',
      'Name the test that was missing.',
    ]),
    revisions: [],
  };
}

function letterToLandlord(): SampleProtocol {
  const greeting = 'Madame, Monsieur,';
  return {
    userEmail: chloe,
    ...version('Lettre au propriétaire', 'Polie, mais ferme', [
      greeting,
      'Rappeler la date et le montant.',
      'Bien à vous',
    ]),
    revisions: [
      version('Lettre au propriétaire', 'Polie, mais ferme', [
        greeting,
        'Rappeler la date, le montant et l’article du bail.',
        'Bien à vous',
      ]),
    ],
  };
}

function version(name: string, description: string | null, contents: string[]): ProtocolVersion {
  return { name, description, parts: contents.map((content) => ({ content })) };
}
