/** A remark plugin that marks the sentences which no source supports. */

import type { Emphasis, Root } from "mdast";
import { type FindAndReplaceTuple, findAndReplace } from "mdast-util-find-and-replace";

const mark = (sentence: string): Emphasis => ({
  type: "emphasis",
  data: { hName: "u", hProperties: { className: ["unsupported"], title: "No source supports this sentence." } },
  children: [{ type: "text", value: sentence }],
});

export function remarkUnsupported(sentences: string[]) {
  const marked = sentences.filter(Boolean).map((sentence): FindAndReplaceTuple => [sentence, mark]);
  return (tree: Root) => findAndReplace(tree, marked);
}
