/** A conversation kept by LangGraph's checkpointer. */
export interface Thread {
  /** One turn: a question, and the answer of a node that needs no model. */
  turn(question: string, answer: string): Promise<void>;
  /** The texts of its messages. */
  texts(): Promise<string[]>;
}

export interface LangGraph {
  newThread(messages: readonly { role: string; text: string }[]): Promise<Thread>;
  close(): Promise<void>;
}

export function openLangGraph(url: string): Promise<LangGraph>;
