/** An answer's Markdown, with its markers as citation chips. */

import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import type { PluggableList } from "unified";
import { CitationChip } from "./CitationChip";
import { remarkCitations } from "./remarkCitations";
import { remarkUnsupported } from "./remarkUnsupported";

// An image would make the browser fetch an address that the model made up.
const DISALLOWED = ["img"];

const COMPONENTS: Components = {
  cite: ({ children }) => <CitationChip marker={Number(children)} />,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ),
  table: ({ children }) => (
    <div className="table-scroll">
      <table>{children}</table>
    </div>
  ),
};

export function AnswerText({ text, unsupported }: { text: string; unsupported: string[] }) {
  const plugins: PluggableList = [remarkGfm, remarkCitations, [remarkUnsupported, unsupported]];
  return (
    <Markdown remarkPlugins={plugins} components={COMPONENTS} disallowedElements={DISALLOWED}>
      {text}
    </Markdown>
  );
}
