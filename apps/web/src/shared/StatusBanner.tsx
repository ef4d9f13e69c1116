/** Says what is wrong while Footnote cannot answer; nothing at all otherwise. */

import type { Health } from "./useReadiness";

export function StatusBanner({ health }: { health: Health }) {
  return (
    <div role="status" className="banner-area">
      {health.state === "offline" && (
        <p className="banner banner-bad">
          <strong>Footnote cannot be reached.</strong> Check that it is still running. This page keeps trying.
        </p>
      )}
      {health.state === "starting" && (
        <p className="banner">
          <strong>Footnote is not ready yet.</strong>{" "}
          {health.waiting.length > 0 ? `Waiting for ${health.waiting.join(", ")}.` : "This page keeps asking."}
        </p>
      )}
    </div>
  );
}
