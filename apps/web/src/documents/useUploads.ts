/** Files on their way into the collection: a few at a time, each followed until it is searchable or has failed. */

import { useCallback, useRef, useState } from "react";
import { followJob, uploadDocument } from "../shared/api";
import { CUT_OFF, oneLine, ProblemError, toProblem } from "../shared/problem";
import type { Job, JobState } from "../shared/types";

export type UploadState = "waiting" | "uploading" | JobState;

export interface Upload {
  key: number;
  name: string;
  state: UploadState;
  chunks: number;
  reason: string | null;
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

const CUT_OFF_JOB = { ...CUT_OFF, detail: "The file may still become searchable." };

export const ended = (state: UploadState) => state === "done" || state === "failed" || state === "cancelled";
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function changeFrom({ state, chunks, reason, message }: Job): Partial<Upload> {
  return state === "failed" ? { state, reason, error: message } : { state, chunks };
}

/** Reports the job's states until it ends. A stream that breaks or falls silent is opened again, and gives up only
 * after several openings in a row that said nothing: a job may wait or work for a long time. */
async function follow(first: Job, report: (job: Job) => void): Promise<void> {
  let job = first;
  report(job);
  let failure = CUT_OFF_JOB;
  for (let attempt = 1; attempt <= ATTEMPTS && !ended(job.state); attempt++) {
    if (attempt > 1) await pause(PAUSE_MS);
    try {
      for await (job of followJob(first.id)) {
        report(job);
        attempt = 1;
      }
    } catch (error) {
      failure = toProblem(error);
    }
  }
  if (!ended(job.state)) throw new ProblemError(failure);
}

export function useUploads(onSettled: () => void): Uploads {
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
        onSettled();
      } catch (error) {
        change(key, { state: "failed", error: oneLine(toProblem(error)) });
      }
    },
    [change, onSettled],
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
        ({ key, file }): Upload => ({ key, name: file.name, state: "waiting", chunks: 0, reason: null, error: null }),
      );
      setItems((old) => [...shown, ...old]);
      while (running.current < AT_ONCE && queue.current.length > 0) void work();
    },
    [work],
  );

  const dismiss = useCallback((key: number) => setItems((old) => old.filter((item) => item.key !== key)), []);

  return { items, add, dismiss };
}
