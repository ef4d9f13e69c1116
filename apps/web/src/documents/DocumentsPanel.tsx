/** The documents to ask about, and the way to add more. */

import { type ChangeEvent, type RefObject, useId } from "react";
import { Icon } from "../shared/Icon";
import { DocumentList } from "./DocumentList";
import { UploadList } from "./UploadList";
import type { Documents } from "./useDocuments";
import type { Uploads } from "./useUploads";

interface Props {
  documents: Documents;
  uploads: Uploads;
  input: RefObject<HTMLInputElement | null>;
  open: boolean;
  onClose: () => void;
}

export function DocumentsPanel({ documents, uploads, input, open, onClose }: Props) {
  const id = useId();
  const pick = (event: ChangeEvent<HTMLInputElement>) => {
    if (event.target.files) uploads.add(event.target.files);
    event.target.value = ""; // the same file can be chosen again
  };
  return (
    <aside
      id="documents-panel"
      className={open ? "panel documents-panel open" : "panel documents-panel"}
      aria-labelledby="documents-heading"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header className="panel-header">
        <h2 id="documents-heading">Documents</h2>
        <button type="button" className="icon-button narrow-only" aria-label="Close documents" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="panel-body">
        <div className="add">
          <input
            ref={input}
            id={id}
            className="visually-hidden"
            type="file"
            multiple
            data-testid="upload-input"
            onChange={pick}
          />
          <label htmlFor={id} className="button button-wide">
            <Icon name="upload" /> Add documents
          </label>
          <p className="hint">
            Or drop them anywhere: PDFs and scans, Office files, web pages, e-mail, text, images, archives.
          </p>
        </div>
        <UploadList uploads={uploads} />
        <DocumentList documents={documents} />
      </div>
    </aside>
  );
}
