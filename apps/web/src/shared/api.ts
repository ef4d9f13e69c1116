/** The HTTP API of Footnote; every failure leaves here as a ProblemError or as the caller's own abort. */

import { IdleSignal } from "./idle";
import { CUT_OFF, ProblemError, problemOf } from "./problem";
import { readEvents } from "./sse";
import type { DocumentPage, Job, Problem, QueryEvent, Readiness } from "./types";

const COLLECTION = "default";
const DOCUMENTS = `/v1/collections/${COLLECTION}/documents`;
const SHORT_MS = 15_000;
const IDLE_MS = 120_000;

async function checked(response: Response): Promise<Response> {
  if (!response.ok) throw new ProblemError(await problemOf(response));
  return response;
}

/** Asks a question; yields what happens on the way to the answer, `done` last. */
export async function* streamAnswer(
  question: string,
  conversationId: string | null,
  signal: AbortSignal,
): AsyncGenerator<QueryEvent> {
  const idle = new IdleSignal(IDLE_MS);
  try {
    const response = await fetch("/v1/query", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify({
        question,
        collection: COLLECTION,
        stream: true,
        ...(conversationId && { conversation_id: conversationId }),
      }),
      signal: AbortSignal.any([signal, idle.signal]),
    });
    for await (const { event, data } of readEvents(await checked(response), idle.touch)) {
      if (event === "error") throw new ProblemError(JSON.parse(data) as Problem);
      yield { event, data: JSON.parse(data) } as QueryEvent;
      if (event === "done") return;
    }
    throw new ProblemError(CUT_OFF);
  } finally {
    idle.stop();
  }
}

/** One page of the collection's documents, after the document with the id `after`. */
export async function listDocuments(after?: string): Promise<DocumentPage> {
  const query = after ? `?after=${encodeURIComponent(after)}` : "";
  const response = await fetch(DOCUMENTS + query, { signal: AbortSignal.timeout(SHORT_MS) });
  // A collection comes into being with its first document.
  if (response.status === 404) return { documents: [], next: null };
  return (await checked(response)).json();
}

/** Sends one file; returns the job that makes it searchable. */
export async function uploadDocument(file: File): Promise<Job> {
  const form = new FormData();
  form.append("files", file, file.name);
  const response = await checked(await fetch(DOCUMENTS, { method: "POST", body: form }));
  const { jobs } = (await response.json()) as { jobs: Job[] };
  const job = jobs[0];
  if (!job) throw new Error(`The server accepted ${file.name} without starting a job.`);
  return job;
}

/** Yields a job's state whenever it changes; the stream ends after `done` or `failed`. */
export async function* followJob(id: string): AsyncGenerator<Job> {
  const idle = new IdleSignal(IDLE_MS);
  try {
    const response = await checked(
      await fetch(`/v1/jobs/${encodeURIComponent(id)}/events`, { signal: idle.signal, cache: "no-store" }),
    );
    for await (const { data } of readEvents(response, idle.touch)) yield JSON.parse(data) as Job;
  } finally {
    idle.stop();
  }
}

export async function deleteDocument(id: string): Promise<void> {
  await checked(
    await fetch(`${DOCUMENTS}/${encodeURIComponent(id)}`, { method: "DELETE", signal: AbortSignal.timeout(SHORT_MS) }),
  );
}

/** Where the original file of a document can be read, at a page where the browser can turn to it. */
export function originalUrl(documentId: string, page: number | null): string {
  const anchor = page === null ? "" : `#page=${page}`;
  return `${DOCUMENTS}/${encodeURIComponent(documentId)}/content${anchor}`;
}

/** The state of each component. A 503 carries the same body. */
export async function readiness(): Promise<Readiness> {
  const response = await fetch("/readyz", { signal: AbortSignal.timeout(SHORT_MS), cache: "no-store" });
  const body = (await response.json()) as Partial<Readiness>;
  return { ready: body.ready ?? response.ok, components: body.components ?? {} };
}
