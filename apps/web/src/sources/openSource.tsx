/** Which passage is open in the source panel, for whoever shows or opens one. */

import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import type { Citation, Passage } from "../shared/types";

/** `key` tells the opened reference from others to the same passage. */
export interface OpenedSource {
  key: string;
  passage: Passage | Citation;
}

interface OpenSource {
  opened: OpenedSource | null;
  open: (source: OpenedSource) => void;
  close: () => void;
}

const Context = createContext<OpenSource | null>(null);

export function OpenSourceProvider({ children }: { children: ReactNode }) {
  const [opened, setOpened] = useState<OpenedSource | null>(null);
  const opener = useRef<Element | null>(null);

  const open = useCallback((source: OpenedSource) => {
    opener.current = document.activeElement;
    setOpened(source);
  }, []);

  const close = useCallback(() => {
    setOpened(null);
    if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
  }, []);

  const value = useMemo(() => ({ opened, open, close }), [opened, open, close]);
  return <Context value={value}>{children}</Context>;
}

export function useOpenSource(): OpenSource {
  const value = useContext(Context);
  if (!value) throw new Error("useOpenSource needs an OpenSourceProvider above it");
  return value;
}
