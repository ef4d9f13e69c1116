/** A question, as it was asked. */

import { MessagePrimitive } from "@assistant-ui/react";

export function UserMessage() {
  return (
    <MessagePrimitive.Root className="message question">
      <span className="visually-hidden">You asked:</span>
      <MessagePrimitive.Parts />
    </MessagePrimitive.Root>
  );
}
