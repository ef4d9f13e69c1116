/** The page: documents on the left, the conversation in the middle, the opened source on the right. */

import { AssistantRuntimeProvider, useLocalRuntime } from "@assistant-ui/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { chatAdapter } from "./chat/chatAdapter";
import { Thread } from "./chat/Thread";
import { Welcome } from "./chat/Welcome";
import { DocumentsPanel } from "./documents/DocumentsPanel";
import { useDocuments } from "./documents/useDocuments";
import { useFileDrop } from "./documents/useFileDrop";
import { useUploads } from "./documents/useUploads";
import { Header } from "./Header";
import { StatusBanner } from "./shared/StatusBanner";
import { useReadiness } from "./shared/useReadiness";
import { OpenSourceProvider } from "./sources/openSource";
import { SourcePanel } from "./sources/SourcePanel";

function Page() {
  const health = useReadiness();
  const documents = useDocuments();
  const uploads = useUploads(documents.refresh);
  const [documentsOpen, setDocumentsOpen] = useState(false);
  const fileInput = useRef<HTMLInputElement>(null);

  const { add } = uploads;
  const dragging = useFileDrop(
    useCallback(
      (files: FileList) => {
        setDocumentsOpen(true);
        add(files);
      },
      [add],
    ),
  );

  const { refresh } = documents;
  useEffect(() => {
    if (health.state === "ready") void refresh();
  }, [health.state, refresh]);

  return (
    <div className="page">
      <Header health={health} documentsOpen={documentsOpen} onDocuments={() => setDocumentsOpen((open) => !open)} />
      <StatusBanner health={health} />
      <div className="columns">
        <DocumentsPanel
          documents={documents}
          uploads={uploads}
          input={fileInput}
          open={documentsOpen}
          onClose={() => setDocumentsOpen(false)}
        />
        <main>
          <Thread
            welcome={
              <Welcome
                documents={documents}
                onAdd={() => {
                  setDocumentsOpen(true);
                  fileInput.current?.click();
                }}
              />
            }
          />
        </main>
        <SourcePanel />
      </div>
      {dragging && <div className="drop-cover">Drop to add to your documents</div>}
    </div>
  );
}

export function App() {
  const runtime = useLocalRuntime(chatAdapter);
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <OpenSourceProvider>
        <Page />
      </OpenSourceProvider>
    </AssistantRuntimeProvider>
  );
}
