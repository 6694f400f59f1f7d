// Short things people say between the subjects: thanks, changes of mind, one-word answers. Text only.

import type { Exchange } from '../subject.ts';

export const smallTalk: readonly Exchange[] = [
  { ask: 'Thanks!', reply: 'You are welcome. 🙂' },
  { ask: 'ok', reply: 'Anything else?' },
  { ask: 'תודה רבה!', reply: 'בשמחה 🙏' },
  { ask: 'Perfect, merci 🙏🏼', reply: 'Avec plaisir !' },
  { ask: 'no, the other one', reply: 'Right, the second option then. I will go on with that.' },
  { ask: '👍🏽', reply: '👍' },
  { ask: 'Are you sure?', reply: 'Fairly sure. The part that I would check is the number; the rest is standard.' },
  { ask: 'wait', reply: 'Waiting. Tell me when you are ready.' },
  { ask: 'Shorter please', reply: 'Yes: do it on [[weekday]], before [[hour]].' },
  { ask: 'רגע, לא הבנתי', reply: 'אסביר שוב, לאט יותר: קודם השלב הראשון, ורק אחר כך [[few]] הבאים.' },
  { ask: 'شكرا', reply: 'عفوًا! 🌹' },
  { ask: '谢谢！', reply: '不客气 😊' },
  { ask: 'lol 😂😂', reply: 'Glad that helped.' },
  { ask: 'What did you call me?', reply: 'Nothing bad, I promise. You asked me to be brief.' },
];
