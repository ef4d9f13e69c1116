/** Files on their way into the collection: a few at a time, each followed until it is searchable or has failed. */

import { useCallback, useRef, useState } from "react";
import { followJob, uploadDocument } from "../shared/api";
import { CUT_OFF, ProblemError, toProblem } from "../shared/problem";
import type { Job, JobState } from "../shared/types";

export type UploadState = "waiting" | "uploading" | JobState;

export interface Upload {
  key: number;
  name: string;
  state: UploadState;
  chunks: number;
  error: string | null;
}

export interface Uploads {
  items: Upload[];
  add: (files: Iterable<File>) => void;
  dismiss: (key: number) => void;
}

// Browsers allow six connections to a server; questions and lists need some of them.
const AT_ONCE = 2;
const ATTEMPTS = 8;
const PAUSE_MS = 1_500;

const ended = (state: UploadState) => state === "done" || state === "failed";
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function changeFrom(job: Job): Partial<Upload> {
  const why = [job.reason, job.message].filter(Boolean).join(": ");
  return { state: job.state, chunks: job.chunks, error: job.state === "failed" ? why || "No reason was given." : null };
}

/** Reports the job's states until it ends; a lost connection is taken up again. */
async function follow(first: Job, report: (job: Job) => void): Promise<void> {
  let job = first;
  report(job);
  for (let attempt = 1; !ended(job.state); attempt++) {
    try {
      for await (job of followJob(first.id)) report(job);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
    if (ended(job.state)) return;
    if (attempt === ATTEMPTS) throw new ProblemError({ ...CUT_OFF, detail: "The file may still become searchable." });
    await pause(PAUSE_MS);
  }
}

export function useUploads(onSearchable: () => void): Uploads {
  const [items, setItems] = useState<Upload[]>([]);
  const queue = useRef<{ key: number; file: File }[]>([]);
  const running = useRef(0);
  const lastKey = useRef(0);

  const change = useCallback((key: number, part: Partial<Upload>) => {
    setItems((old) => old.map((item) => (item.key === key ? { ...item, ...part } : item)));
  }, []);

  const send = useCallback(
    async (key: number, file: File) => {
      change(key, { state: "uploading" });
      try {
        await follow(await uploadDocument(file), (job) => change(key, changeFrom(job)));
        onSearchable();
      } catch (error) {
        const { title, detail } = toProblem(error);
        change(key, { state: "failed", error: `${title}: ${detail}` });
      }
    },
    [change, onSearchable],
  );

  const work = useCallback(async () => {
    running.current++;
    for (let next = queue.current.shift(); next; next = queue.current.shift()) await send(next.key, next.file);
    running.current--;
  }, [send]);

  const add = useCallback(
    (files: Iterable<File>) => {
      const added = Array.from(files, (file) => ({ key: ++lastKey.current, file }));
      queue.current.push(...added);
      const shown = added.map(
        ({ key, file }): Upload => ({ key, name: file.name, state: "waiting", chunks: 0, error: null }),
      );
      setItems((old) => [...shown, ...old]);
      while (running.current < AT_ONCE && queue.current.length > 0) void work();
    },
    [work],
  );

  const dismiss = useCallback((key: number) => setItems((old) => old.filter((item) => item.key !== key)), []);

  return { items, add, dismiss };
}
