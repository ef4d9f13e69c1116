/** The conversation: a welcome, the questions and answers, and the place to ask. */

import { AuiIf, ThreadPrimitive } from "@assistant-ui/react";
import type { ReactNode } from "react";
import { AssistantMessage } from "./AssistantMessage";
import { Composer } from "./Composer";
import { UserMessage } from "./UserMessage";

export function Thread({ welcome }: { welcome: ReactNode }) {
  return (
    <ThreadPrimitive.Root className="thread">
      <ThreadPrimitive.Viewport className="viewport">
        <AuiIf condition={(state) => state.thread.isEmpty}>{welcome}</AuiIf>
        <div className="messages" role="log" aria-live="polite" aria-label="Conversation">
          <ThreadPrimitive.Messages>
            {({ message }) => (message.role === "user" ? <UserMessage /> : <AssistantMessage />)}
          </ThreadPrimitive.Messages>
        </div>
      </ThreadPrimitive.Viewport>
      <div className="composer-area">
        <Composer />
        <p className="hint">Answers come from your documents only. Open a number to read its source.</p>
      </div>
    </ThreadPrimitive.Root>
  );
}
