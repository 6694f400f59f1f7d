// The peer: a LangGraph graph whose state is the list of messages, on its Postgres checkpointer, both as their documents
// show them. JavaScript, because its types are only there where the peers are installed.

import { randomUUID } from 'node:crypto';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';

export async function openLangGraph(url) {
  const saver = PostgresSaver.fromConnString(url);
  await saver.setup();
  let nextAnswer = '';
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('assistant', () => ({ messages: [new AIMessage(nextAnswer)] }))
    .addEdge(START, 'assistant')
    .addEdge('assistant', END)
    .compile({ checkpointer: saver });
  return {
    async newThread(messages) {
      const config = { configurable: { thread_id: randomUUID() } };
      const list = messages.map(({ role, text }) => (role === 'user' ? new HumanMessage(text) : new AIMessage(text)));
      await graph.updateState(config, { messages: list }, 'assistant');
      return {
        async turn(question, answer) {
          nextAnswer = answer;
          await graph.invoke({ messages: [new HumanMessage(question)] }, config);
        },
        async texts() {
          return (await graph.getState(config)).values.messages.map(({ content }) => content);
        },
      };
    },
    close: () => saver.end(),
  };
}
