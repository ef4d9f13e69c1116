/** The collection's documents, read when asked and whenever the page comes back into view. */

import { useCallback, useEffect, useState } from "react";
import { deleteDocument, listDocuments } from "../shared/api";
import { toProblem } from "../shared/problem";
import type { DocumentSummary, Problem } from "../shared/types";

export interface DocumentsState {
  status: "loading" | "ready" | "failed";
  documents: DocumentSummary[];
  next: string | null;
  problem: Problem | null;
}

export interface Documents extends DocumentsState {
  refresh: () => Promise<void>;
  more: () => Promise<void>;
  remove: (id: string) => Promise<void>;
}

const NOTHING: DocumentsState = { status: "loading", documents: [], next: null, problem: null };

export function useDocuments(): Documents {
  const [state, setState] = useState(NOTHING);

  const load = useCallback(async (after?: string) => {
    try {
      const page = await listDocuments(after);
      setState((old) => ({
        status: "ready",
        documents: after ? [...old.documents, ...page.documents] : page.documents,
        next: page.next,
        problem: null,
      }));
    } catch (error) {
      setState((old) => ({ ...old, status: "failed", problem: toProblem(error) }));
    }
  }, []);

  const refresh = useCallback(() => load(), [load]);

  useEffect(() => {
    const onVisible = () => {
      if (document.visibilityState === "visible") void refresh();
    };
    void refresh();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, [refresh]);

  const more = () => load(state.next ?? undefined);

  const remove = async (id: string) => {
    await deleteDocument(id);
    setState((old) => ({ ...old, documents: old.documents.filter((document) => document.id !== id) }));
  };

  return { ...state, refresh, more, remove };
}
