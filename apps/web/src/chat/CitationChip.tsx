/** A marker in an answer. It opens the passage it stands for; without one it stays plain text. */

import { useAuiState } from "@assistant-ui/react";
import { useOpenSource } from "../sources/openSource";
import { useTurn } from "./turn";

export function CitationChip({ marker }: { marker: number }) {
  const citation = useTurn().citations.find((candidate) => candidate.marker === marker);
  const messageId = useAuiState((state) => state.message.id);
  const { open, opened } = useOpenSource();
  if (!citation) return <span className="marker-text">[{marker}]</span>;

  const key = `${messageId}:${marker}`;
  const page = citation.page === null ? "" : `, page ${citation.page}`;
  return (
    <button
      type="button"
      className="marker chip"
      data-testid="citation"
      data-attributed-by={citation.attributed_by}
      aria-label={`Source ${marker}: ${citation.title}${page}`}
      aria-expanded={opened?.key === key}
      title={`${citation.title}${page}`}
      onClick={() => open({ key, passage: citation })}
    >
      {marker}
    </button>
  );
}
