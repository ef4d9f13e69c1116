/** The passage behind a citation: its document, page and text, and how it came to be cited. */

import { useEffect, useRef } from "react";
import { originalUrl } from "../shared/api";
import { flagged } from "../shared/format";
import { Icon } from "../shared/Icon";
import type { Citation, Passage } from "../shared/types";
import { useOpenSource } from "./openSource";

const ATTRIBUTION = {
  model: "The model cited this passage itself.",
  matched: "The sentence was matched to this passage after it was written.",
  quoted: "The sentence is quoted from this passage.",
  retrieved: "The search found this passage; the answer does not cite it.",
};

const isCitation = (passage: Passage | Citation): passage is Citation => "marker" in passage;

/** The passage's text, with what the answer rests on marked in it. Spans count characters, JavaScript UTF-16 units. */
function PassageText({ passage }: { passage: Passage | Citation }) {
  const quote = isCitation(passage) ? passage.quote : null;
  if (!quote) return passage.text;
  const characters = Array.from(passage.text);
  const [start, end] = quote.map((at) => at - passage.span[0]);
  return (
    <>
      {characters.slice(0, start).join("")}
      <mark data-testid="source-quote">{characters.slice(start, end).join("")}</mark>
      {characters.slice(end).join("")}
    </>
  );
}

function Details({ passage }: { passage: Passage | Citation }) {
  return (
    <>
      <blockquote className="passage" data-testid="source-text">
        <PassageText passage={passage} />
      </blockquote>
      <dl className="facts">
        <dt>File</dt>
        <dd className="path">{passage.source}</dd>
        <dt>Attribution</dt>
        <dd data-testid="source-attribution">
          {ATTRIBUTION[isCitation(passage) ? passage.attributed_by : "retrieved"]}
        </dd>
        <dt>Similarity to the question</dt>
        <dd>{passage.similarity?.toFixed(2) ?? "–"}</dd>
      </dl>
      <a
        className="text-button"
        href={originalUrl(passage.document_id, passage.page)}
        target="_blank"
        rel="noopener noreferrer"
      >
        <Icon name="external" /> Open original
      </a>
    </>
  );
}

export function SourcePanel() {
  const { opened, close } = useOpenSource();
  const heading = useRef<HTMLHeadingElement>(null);
  const key = opened?.key;

  useEffect(() => {
    if (key) heading.current?.focus();
  }, [key]);

  if (!opened) return null;
  const { passage } = opened;
  return (
    <aside
      id="source-panel"
      className="panel source-panel"
      aria-labelledby="source-heading"
      data-testid="source-panel"
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <header className="panel-header">
        <p className="eyebrow">
          {isCitation(passage) ? (
            <>
              <span className="marker">{passage.marker}</span> Source
            </>
          ) : (
            "Passage found"
          )}
        </p>
        <button type="button" className="icon-button" aria-label="Close source" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div className="panel-body" key={key}>
        <h2 id="source-heading" ref={heading} tabIndex={-1} data-testid="source-title">
          {passage.title}
        </h2>
        {passage.page !== null && (
          <p className="source-page" data-testid="source-page">
            Page {passage.page}
          </p>
        )}
        {passage.flags.length > 0 && (
          <p className="flag" data-testid="source-flags">
            {flagged(passage.flags)}
          </p>
        )}
        <Details passage={passage} />
      </div>
    </aside>
  );
}
