/** Whether Footnote can answer, asked again and again. */

import { useEffect, useState } from "react";
import { readiness } from "./api";
import type { Readiness } from "./types";

export type Health =
  | { state: "checking" }
  | { state: "ready" }
  | { state: "starting"; waiting: string[] }
  | { state: "offline" };

const READY_MS = 10_000;
const WAITING_MS = 2_000;
const NAMES: Record<string, string> = {
  catalog: "the catalog",
  embedder: "the text encoder",
  model: "the language model",
};

/** What the answers still wait for, by name. */
function waitingFor({ components }: Readiness): string[] {
  return Object.entries(components)
    .filter(([, { state, required }]) => required && state !== "ready")
    .map(([name]) => NAMES[name] ?? name);
}

async function check(): Promise<Health> {
  try {
    const answer = await readiness();
    return answer.ready ? { state: "ready" } : { state: "starting", waiting: waitingFor(answer) };
  } catch {
    return { state: "offline" };
  }
}

export function useReadiness(): Health {
  const [health, setHealth] = useState<Health>({ state: "checking" });
  useEffect(() => {
    let timer = 0;
    let stopped = false;
    const poll = async () => {
      const next = await check();
      if (stopped) return;
      setHealth((old) => (JSON.stringify(old) === JSON.stringify(next) ? old : next));
      timer = window.setTimeout(poll, next.state === "ready" ? READY_MS : WAITING_MS);
    };
    void poll();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, []);
  return health;
}
