/** Every failure the page can meet, told in the words of RFC 9457 problem details. */

import type { Problem } from "./types";

export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

const named = (title: string, detail: string, status = 0): Problem => ({ type: "about:blank", title, status, detail });

export const UNREACHABLE = named(
  "Footnote cannot be reached",
  "Check that it is still running on this machine, then try again.",
);

export const CUT_OFF = named("The connection was lost", "The answer did not arrive in full. Try again.");

export const SILENT = named("No answer arrived", "The server stopped sending. The model may be overloaded; try again.");

// The API titles a problem by its HTTP status; these say what it means to the person who asked.
const HEADINGS: Record<string, string> = {
  blocked: "This question was refused",
  "invalid-input": "This could not be accepted",
  "invalid-request": "This could not be accepted",
  "not-found": "This is not there",
  "model-unavailable": "The language model is not available",
  "store-unavailable": "The documents cannot be reached",
  misconfigured: "A setting needs attention",
};

/** The heading of a problem, in words for a person. */
export const heading = (problem: Problem): string => HEADINGS[problem.type] ?? problem.title;

/** A problem in one line. */
export const oneLine = (problem: Problem): string => `${heading(problem)}: ${problem.detail}`;

/** The problem behind anything that was thrown. Browsers report every network failure as a TypeError. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof TypeError) return UNREACHABLE;
  if (error instanceof DOMException && error.name === "TimeoutError") return SILENT;
  return named("Something went wrong", error instanceof Error ? error.message : String(error));
}

/** The problem that a response other than 2xx carries. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback = named(
    response.statusText || `Error ${response.status}`,
    `The server answered with status ${response.status}.`,
    response.status,
  );
  try {
    return { ...fallback, ...((await response.json()) as Partial<Problem>) };
  } catch {
    return fallback;
  }
}
