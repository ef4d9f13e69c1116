/** How sizes, counts and kinds of files are written for people. */

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let value = size;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${value < 10 && units[0] !== "B" ? value.toFixed(1) : Math.round(value)} ${units[0]}`;
}

/** The last part of a path, whichever way its slashes lean. */
export function fileName(source: string): string {
  return source.split(/[\\/]/).filter(Boolean).at(-1) ?? source;
}

/** The kind of file a source is, from its extension: "PDF", "DOCX"; "file" without one. */
export function fileKind(source: string): string {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(source)?.[1];
  return extension ? extension.toUpperCase() : "file";
}

/** What is said of a passage that broke these rules: "flagged: hidden text, prompt injection". */
export function flagged(flags: string[]): string {
  return `flagged: ${flags.map((flag) => flag.replaceAll("_", " ")).join(", ")}`;
}
