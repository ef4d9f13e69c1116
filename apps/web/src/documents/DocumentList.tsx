/** The documents of the collection, or why there are none to see. */

import { useState } from "react";
import { bytes, fileKind, fileName, plural } from "../shared/format";
import { Icon } from "../shared/Icon";
import { heading } from "../shared/problem";
import type { DocumentSummary } from "../shared/types";
import { DeleteDialog } from "./DeleteDialog";
import type { Documents } from "./useDocuments";

function Row({ document, onDelete }: { document: DocumentSummary; onDelete: () => void }) {
  const name = fileName(document.source);
  return (
    <li className="document" data-testid="document">
      <span className="kind" aria-hidden="true">
        {fileKind(document.source)}
      </span>
      <div className="document-words">
        <p className="document-title" title={document.source}>
          {document.title || name}
        </p>
        {document.title && document.title !== name && <p className="document-file">{name}</p>}
        <p className="document-facts">
          {plural(document.chunks, "passage")} · {bytes(document.size)}
          {document.flagged > 0 && <span className="flag">{document.flagged} flagged</span>}
        </p>
      </div>
      <button
        type="button"
        className="icon-button small"
        data-testid="delete-document"
        aria-label={`Delete ${document.title || name}`}
        onClick={onDelete}
      >
        <Icon name="trash" />
      </button>
    </li>
  );
}

function Nothing({ documents }: { documents: Documents }) {
  if (documents.status === "loading") return <p className="quiet">Loading…</p>;
  if (documents.status === "ready" && documents.documents.length === 0)
    return <p className="quiet">No documents yet.</p>;
  return null;
}

export function DocumentList({ documents }: { documents: Documents }) {
  const [doomed, setDoomed] = useState<DocumentSummary | null>(null);
  return (
    <div data-testid="documents">
      {documents.problem && (
        <div className="note note-bad" role="alert">
          <div>
            <strong>{heading(documents.problem)}</strong>
            <p>{documents.problem.detail}</p>
            <button type="button" className="text-button" onClick={documents.refresh}>
              <Icon name="retry" /> Try again
            </button>
          </div>
        </div>
      )}
      <Nothing documents={documents} />
      <ul className="documents">
        {documents.documents.map((document) => (
          <Row key={document.id} document={document} onDelete={() => setDoomed(document)} />
        ))}
      </ul>
      {documents.next && (
        <button type="button" className="text-button" onClick={documents.more}>
          Show more
        </button>
      )}
      {doomed && <DeleteDialog document={doomed} onDelete={documents.remove} onClose={() => setDoomed(null)} />}
    </div>
  );
}
