/** Lets the chat runtime ask Footnote: a run is one question, and the conversation goes on under the id of the last answer. */

import type { ChatModelAdapter, ChatModelRunResult, ThreadMessage } from "@assistant-ui/react";
import { streamAnswer } from "../shared/api";
import { toProblem } from "../shared/problem";
import { advance, newTurn, type Turn, turnOf } from "./turn";

function lastQuestion(messages: readonly ThreadMessage[]): string {
  const parts = messages.findLast((message) => message.role === "user")?.content ?? [];
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function conversationOf(messages: readonly ThreadMessage[]): string | null {
  const ids = messages.map((message) => turnOf(message.metadata.custom).answer?.conversation_id);
  return ids.findLast(Boolean) ?? null;
}

const shown = (turn: Turn): ChatModelRunResult => ({
  content: [{ type: "text", text: turn.text }],
  metadata: { custom: { turn } },
});

export const chatAdapter: ChatModelAdapter = {
  async *run({ messages, abortSignal }) {
    let turn = newTurn(performance.now());
    try {
      for await (const event of streamAnswer(lastQuestion(messages), conversationOf(messages), abortSignal)) {
        turn = advance(turn, event, performance.now());
        yield shown(turn);
      }
    } catch (error) {
      if (abortSignal.aborted) throw error; // the runtime marks the message as stopped
      const problem = toProblem(error);
      yield {
        ...shown({ ...turn, problem }),
        status: { type: "incomplete", reason: "error", error: problem.title },
      };
    }
  },
};
