/** What an empty conversation shows, depending on what there is to ask about. */

import type { DocumentsState } from "../documents/useDocuments";
import { plural } from "../shared/format";

interface Props {
  documents: DocumentsState;
  onAdd: () => void;
}

function Words({ documents, onAdd }: Props) {
  if (documents.status === "loading") return <p>Looking at your documents…</p>;
  if (documents.status === "failed") return <p>The list of documents could not be read. You can still ask.</p>;
  if (documents.documents.length === 0) {
    return (
      <>
        <p>There is nothing to ask about yet. Add a document, and ask as soon as it is searchable.</p>
        <button type="button" className="button button-primary" onClick={onAdd}>
          Add documents
        </button>
      </>
    );
  }
  const more = documents.next ? "more than " : "";
  return (
    <p>{`Ask anything about your ${more}${plural(documents.documents.length, "document")}. Each answer shows the passages it comes from.`}</p>
  );
}

export function Welcome(props: Props) {
  return (
    <div className="welcome">
      <h1>
        What would you like to know<sup aria-hidden="true">1</sup>?
      </h1>
      <Words {...props} />
    </div>
  );
}
