/** The bar at the top: name, state, and a new conversation. */

import { useAui, useAuiState } from "@assistant-ui/react";
import { Icon } from "./shared/Icon";
import type { Health } from "./shared/useReadiness";
import { useOpenSource } from "./sources/openSource";

const STATE = { checking: "Connecting", ready: "Ready", starting: "Not ready", offline: "Offline" };

interface Props {
  health: Health;
  documentsOpen: boolean;
  onDocuments: () => void;
}

export function Header({ health, documentsOpen, onDocuments }: Props) {
  const aui = useAui();
  const { close } = useOpenSource();
  const empty = useAuiState((state) => state.thread.isEmpty);

  const startOver = () => {
    close();
    aui.thread().cancelRun();
    void aui.threads().switchToNewThread();
  };

  return (
    <header className="top">
      <p className="brand">
        Footnote<sup aria-hidden="true">1</sup>
      </p>
      <span className="health" data-state={health.state} data-testid="health">
        {STATE[health.state]}
      </span>
      <button
        type="button"
        className="button narrow-only"
        aria-expanded={documentsOpen}
        aria-controls="documents-panel"
        aria-label="Documents"
        onClick={onDocuments}
      >
        <Icon name="documents" /> <span className="roomy-only">Documents</span>
      </button>
      <button
        type="button"
        className="button"
        data-testid="new-chat"
        aria-label="New chat"
        disabled={empty}
        onClick={startOver}
      >
        <Icon name="plus" /> <span className="roomy-only">New chat</span>
      </button>
    </header>
  );
}
