/** Passages as a compact list, each of which opens in the source panel. */

import { flagged } from "../shared/format";
import type { Citation, Passage } from "../shared/types";
import { useOpenSource } from "./openSource";

interface Entry {
  key: string;
  label: string;
  passage: Passage | Citation;
}

export function PassageList({ title, entries }: { title: string; entries: Entry[] }) {
  const { open, opened } = useOpenSource();
  if (entries.length === 0) return null;
  return (
    <section className="passages" data-testid="sources">
      <h3>{title}</h3>
      <ol>
        {entries.map(({ key, label, passage }) => (
          <li key={key}>
            <button
              type="button"
              className="passage-link"
              aria-expanded={opened?.key === key}
              onClick={() => open({ key, passage })}
            >
              <span className="marker" aria-hidden="true">
                {label}
              </span>
              <span className="passage-title">{passage.title}</span>
              {passage.flags.length > 0 && <span className="flag">{flagged(passage.flags)}</span>}
              {passage.page !== null && <span className="passage-page">p. {passage.page}</span>}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
