/** One answer: on its way, finished, abstained, stopped or failed. */

import { ActionBarPrimitive, MessagePrimitive, useAuiState } from "@assistant-ui/react";
import { plural } from "../shared/format";
import { Icon } from "../shared/Icon";
import { heading } from "../shared/problem";
import { AnswerFooter } from "./AnswerFooter";
import { AnswerText } from "./AnswerText";
import { type Turn, useTurn } from "./turn";

const NO_ANSWER = "The documents hold no answer to this question.";

type State = "running" | "complete" | "abstained" | "stopped" | "failed";

function useMessageState(turn: Turn): State {
  const status = useAuiState((state) => (state.message.role === "assistant" ? state.message.status : undefined));
  if (turn.problem) return "failed";
  if (status?.type === "running") return "running";
  if (status?.type === "incomplete") return "stopped";
  return turn.answer?.abstained ? "abstained" : "complete";
}

function Progress({ turn }: { turn: Turn }) {
  if (turn.stage === "done") return null;
  const words = {
    searching: "Searching your documents…",
    reading: `Reading ${plural(turn.hits.length, "passage")}…`,
    writing: "Writing…",
  }[turn.stage];
  return (
    <p className="progress">
      <span className="pulse" aria-hidden="true" /> {words}
    </p>
  );
}

function Failure({ turn }: { turn: Turn }) {
  if (!turn.problem) return null;
  return (
    <div className="note note-bad" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{heading(turn.problem)}</strong>
        <p>{turn.problem.detail}</p>
        <ActionBarPrimitive.Reload className="text-button" data-testid="retry">
          <Icon name="retry" /> Try again
        </ActionBarPrimitive.Reload>
      </div>
    </div>
  );
}

export function AssistantMessage() {
  const turn = useTurn();
  const state = useMessageState(turn);
  return (
    <MessagePrimitive.Root className="message answer" data-state={state}>
      {state === "abstained" && (
        <p className="abstained-title">
          <Icon name="search" /> Not in your documents
        </p>
      )}
      <div className="answer-text" data-testid="answer" data-state={state} aria-busy={state === "running"}>
        <AnswerText text={turn.text || (state === "abstained" ? NO_ANSWER : "")} unsupported={turn.unsupported} />
      </div>
      {state === "running" && <Progress turn={turn} />}
      {state === "stopped" && <p className="note">Stopped.</p>}
      <Failure turn={turn} />
      <AnswerFooter />
    </MessagePrimitive.Root>
  );
}
