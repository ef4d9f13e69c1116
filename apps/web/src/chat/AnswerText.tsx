/** An answer's Markdown, with its markers as citation chips. */

import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CitationChip } from "./CitationChip";
import { remarkCitations } from "./remarkCitations";

const PLUGINS = [remarkGfm, remarkCitations];
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

export function AnswerText({ text }: { text: string }) {
  return (
    <Markdown remarkPlugins={PLUGINS} components={COMPONENTS} disallowedElements={DISALLOWED}>
      {text}
    </Markdown>
  );
}
