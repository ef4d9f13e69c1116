/** Asks before a document is deleted, and says so when that fails. */

import { useEffect, useRef, useState } from "react";
import { oneLine, toProblem } from "../shared/problem";
import type { DocumentSummary } from "../shared/types";

interface Props {
  document: DocumentSummary;
  onDelete: (id: string) => Promise<void>;
  onClose: () => void;
}

export function DeleteDialog({ document, onDelete, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");

  useEffect(() => dialog.current?.showModal(), []);

  const confirm = async () => {
    setBusy(true);
    try {
      await onDelete(document.id);
      dialog.current?.close();
    } catch (failure) {
      setError(oneLine(toProblem(failure)));
      setBusy(false);
    }
  };

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="delete-heading" onClose={onClose}>
      <h2 id="delete-heading">Delete “{document.title}”?</h2>
      <p>It will no longer be searched, and no answer will cite it.</p>
      {error && (
        <p className="upload-error" role="alert">
          {error}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button
          type="button"
          className="button button-danger"
          data-testid="confirm-delete"
          disabled={busy}
          onClick={confirm}
        >
          {busy ? "Deleting…" : "Delete"}
        </button>
      </div>
    </dialog>
  );
}
