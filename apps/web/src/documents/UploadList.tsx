/** The files being added, each with how far it has come. */

import { plural } from "../shared/format";
import { Icon } from "../shared/Icon";
import { ended, type Upload, type UploadState, type Uploads } from "./useUploads";

const STEPS: UploadState[] = ["waiting", "uploading", "queued", "parsing", "embedding", "indexing", "done"];

const WORDS: Record<UploadState, string> = {
  waiting: "Waiting",
  uploading: "Uploading",
  queued: "Queued",
  parsing: "Reading",
  embedding: "Embedding",
  indexing: "Indexing",
  done: "Searchable",
  failed: "Failed",
  cancelled: "Cancelled",
};

function Row({ upload, onDismiss }: { upload: Upload; onDismiss: () => void }) {
  const { state, name } = upload;
  const over = ended(state);
  const more = state === "done" ? upload.chunks > 0 && plural(upload.chunks, "passage") : upload.reason;
  return (
    <li className="upload" data-testid="upload-item" data-state={state}>
      <div className="upload-line">
        <span className="upload-name" title={name}>
          {name}
        </span>
        {over && (
          <button type="button" className="icon-button small" aria-label={`Dismiss ${name}`} onClick={onDismiss}>
            <Icon name="close" />
          </button>
        )}
      </div>
      {!over && <progress max={STEPS.length - 1} value={STEPS.indexOf(state)} aria-label={`Adding ${name}`} />}
      <p className="upload-state">
        {WORDS[state]}
        {more && ` · ${more}`}
      </p>
      {upload.error && <p className="upload-error">{upload.error}</p>}
    </li>
  );
}

export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.items.length === 0) return null;
  return (
    <ul className="uploads" aria-label="Files being added" aria-live="polite">
      {uploads.items.map((upload) => (
        <Row key={upload.key} upload={upload} onDismiss={() => uploads.dismiss(upload.key)} />
      ))}
    </ul>
  );
}
