/** What the API sends, by the names it uses. */

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
}

/** A stretch of a document, as a search found it. */
export interface Passage {
  chunk_id: string;
  document_id: string;
  title: string;
  source: string;
  page: number | null;
  span: [number, number];
  text: string;
  similarity: number | null;
  /** The rules that it broke when it was checked. */
  flags: string[];
}

export interface Citation extends Passage {
  marker: number;
  attributed_by: "model" | "matched" | "quoted";
  /** The characters of the document's text that say it. */
  quote: [number, number] | null;
}

/** A sentence of the answer: where it stands in it, and whether a source supports it. */
export interface Sentence {
  span: [number, number];
  supported: boolean;
}

/** What a guard found. */
export interface Violation {
  rule: string;
  message: string;
  action: "block" | "redact" | "drop" | "flag";
}

export type CacheStatus = "exact" | "semantic" | "shared" | "miss" | "off";

export interface Answer {
  answer: string;
  citations: Citation[];
  grounded: boolean;
  abstained: boolean;
  cache: CacheStatus;
  conversation_id: string | null;
  sentences: Sentence[];
  violations: Violation[];
  finish: "complete" | "abstained" | "blocked" | "interrupted";
  notice: string;
}

export type QueryEvent =
  | { event: "retrieval"; data: { hits: Passage[] } }
  | { event: "token"; data: { text: string; supported: boolean } }
  | { event: "citation"; data: Citation }
  | { event: "violation"; data: Violation }
  | { event: "done"; data: Answer };

export interface DocumentSummary {
  id: string;
  title: string;
  source: string;
  media_type: string;
  size: number;
  chunks: number;
  /** How many of its chunks have flags. */
  flagged: number;
}

export interface DocumentPage {
  documents: DocumentSummary[];
  next: string | null;
}

export type JobState = "queued" | "parsing" | "embedding" | "indexing" | "done" | "failed" | "cancelled";

export interface Job {
  id: string;
  source: string;
  state: JobState;
  chunks: number;
  reason: string | null;
  message: string | null;
}

export interface Readiness {
  ready: boolean;
  components: Record<string, { state: string; required: boolean }>;
}
