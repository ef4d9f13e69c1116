/** Where a question is typed, sent and stopped. */

import { AuiIf, ComposerPrimitive } from "@assistant-ui/react";
import { Icon } from "../shared/Icon";

export function Composer() {
  return (
    <ComposerPrimitive.Root className="composer">
      <ComposerPrimitive.Input
        className="composer-input"
        data-testid="question"
        aria-label="Your question"
        placeholder="Ask your documents…"
        rows={1}
        maxRows={8}
        addAttachmentOnPaste={false}
        autoFocus
      />
      <AuiIf condition={(state) => !state.thread.isRunning}>
        <ComposerPrimitive.Send className="round-button" data-testid="send" aria-label="Ask">
          <Icon name="send" />
        </ComposerPrimitive.Send>
      </AuiIf>
      <AuiIf condition={(state) => state.thread.isRunning}>
        <ComposerPrimitive.Cancel className="round-button stop" data-testid="stop" aria-label="Stop">
          <Icon name="stop" />
        </ComposerPrimitive.Cancel>
      </AuiIf>
    </ComposerPrimitive.Root>
  );
}
