/** One answer as it comes into being: a value that each event of the stream moves on. */

import { useAuiState } from "@assistant-ui/react";
import type { Answer, Citation, Passage, Problem, QueryEvent } from "../shared/types";

export interface Turn {
  text: string;
  stage: "searching" | "reading" | "writing" | "done";
  hits: Passage[];
  citations: Citation[];
  unsupported: string[];
  answer: Answer | null;
  problem: Problem | null;
  startedAt: number;
  seconds: number | null;
}

const EMPTY: Turn = {
  text: "",
  stage: "searching",
  hits: [],
  citations: [],
  unsupported: [],
  answer: null,
  problem: null,
  startedAt: 0,
  seconds: null,
};

export const newTurn = (now: number): Turn => ({ ...EMPTY, startedAt: now });

/** The turn after an event. The finished answer replaces what was streamed. */
export function advance(turn: Turn, event: QueryEvent, now: number): Turn {
  switch (event.event) {
    case "retrieval":
      return { ...turn, stage: "reading", hits: event.data.hits };
    case "token":
      return {
        ...turn,
        stage: "writing",
        text: turn.text + event.data.text,
        unsupported: event.data.supported ? turn.unsupported : [...turn.unsupported, event.data.text.trim()],
      };
    case "citation":
      return { ...turn, citations: [...turn.citations, event.data] };
    case "done":
      return {
        ...turn,
        stage: "done",
        text: event.data.answer || turn.text,
        citations: event.data.citations,
        unsupported: unsupportedIn(event.data),
        answer: event.data,
        seconds: (now - turn.startedAt) / 1000,
      };
    default:
      return turn; // an event of a newer server
  }
}

/** The sentences of an answer that no source supports. Its spans count characters, JavaScript UTF-16 units. */
function unsupportedIn(answer: Answer): string[] {
  const characters = Array.from(answer.answer);
  return answer.sentences
    .filter((sentence) => !sentence.supported)
    .map((sentence) => characters.slice(...sentence.span).join(""));
}

/** The turn kept in a message's metadata. */
export function turnOf(custom: Record<string, unknown>): Turn {
  return (custom.turn as Turn | undefined) ?? EMPTY;
}

/** The turn of the message that the component is part of. */
export function useTurn(): Turn {
  return turnOf(useAuiState((state) => state.message.metadata.custom));
}
