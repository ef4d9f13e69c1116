/** A remark plugin that turns markers such as [2] into <cite> elements and keeps answers from reading as link definitions. */

import type { Emphasis, Root } from "mdast";
import { findAndReplace } from "mdast-util-find-and-replace";
import type {} from "remark-parse"; // types the parser's extensions in a processor's data
import type { Processor } from "unified";

const MARKER = /\[(\d{1,3})\]/g;

const cite = (_match: string, marker: string): Emphasis => ({
  type: "emphasis",
  data: { hName: "cite" },
  children: [{ type: "text", value: marker }],
});

export function remarkCitations(this: Processor) {
  const data = this.data();
  // "[1]: …" at the start of a line would vanish as the definition of a link.
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), { disable: { null: ["definition"] } }];
  return (tree: Root) => findAndReplace(tree, [MARKER, cite], { ignore: ["link"] });
}
