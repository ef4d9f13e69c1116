/** What stands below a finished answer: its sources, where it came from, and what can be done with it. */

import { ActionBarPrimitive, useAuiState } from "@assistant-ui/react";
import { Icon } from "../shared/Icon";
import type { Answer, CacheStatus, Citation } from "../shared/types";
import { PassageList } from "../sources/PassageList";
import { type Turn, useTurn } from "./turn";

const CLOSEST = 3;

const ORIGIN: Record<CacheStatus, string> = {
  exact: "from cache",
  semantic: "from cache, asked in other words before",
  shared: "written once for several who asked at the same time",
  miss: "newly written",
  off: "newly written, cache off",
};

function Passages({ turn }: { turn: Turn }) {
  const messageId = useAuiState((state) => state.message.id);
  if (turn.answer?.abstained) {
    const closest = turn.hits.slice(0, CLOSEST).map((passage) => ({
      key: `${messageId}:hit:${passage.chunk_id}`,
      label: "·",
      passage,
    }));
    return <PassageList title="Closest passages" entries={closest} />;
  }
  const byMarker = new Map<number, Citation>(turn.citations.map((citation) => [citation.marker, citation]));
  const cited = [...byMarker.values()]
    .sort((a, b) => a.marker - b.marker)
    .map((passage) => ({ key: `${messageId}:${passage.marker}`, label: String(passage.marker), passage }));
  return <PassageList title="Sources" entries={cited} />;
}

const FINISHES: Partial<Record<Answer["finish"], string>> = {
  blocked: "A guard ended the answer here.",
  interrupted: "The language model broke off here; what stands above was checked.",
};

/** What a reader must know of how the answer came about. */
function notes(answer: Answer): string[] {
  const blocking = answer.violations.filter((violation) => violation.action === "block");
  const told = [FINISHES[answer.finish], ...blocking.map((violation) => violation.message)];
  if (answer.notice === "model_unavailable" && answer.finish !== "interrupted")
    told.push("The language model is away: these sentences are quoted from the documents.");
  if (answer.sentences.some((sentence) => !sentence.supported))
    told.push("No passage supports the sentences that are underlined. Check the sources.");
  return told.filter((note): note is string => Boolean(note));
}

export function AnswerFooter() {
  const turn = useTurn();
  const { answer } = turn;
  if (!answer) return null;
  return (
    <footer className="answer-footer">
      {notes(answer).map((note) => (
        <p className="note note-warn" key={note} data-testid="answer-note">
          <Icon name="warning" /> {note}
        </p>
      ))}
      <Passages turn={turn} />
      <div className="answer-meta">
        <span data-testid="cache-status" data-cache={answer.cache}>
          {ORIGIN[answer.cache] ?? answer.cache}
          {turn.seconds !== null && ` · ${turn.seconds.toFixed(turn.seconds < 1 ? 2 : 1)} s`}
        </span>
        <ActionBarPrimitive.Copy className="text-button copy" copiedDuration={2000}>
          <span className="when-idle">
            <Icon name="copy" /> Copy
          </span>
          <span className="when-copied">
            <Icon name="check" /> Copied
          </span>
        </ActionBarPrimitive.Copy>
      </div>
    </footer>
  );
}
