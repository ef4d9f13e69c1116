#!/usr/bin/env bash
# Sees to it that there is a Chromium for the browser test: one on the PATH, else Debian's where this user may install.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "  Chromium for the browser test ..."
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if ! { apt-get update && apt-get install --yes --no-install-recommends chromium; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    exit 1
  fi
  rm -f "$log"
else
  echo "test: the browser test needs Chromium on the PATH: install it from your system's packages" >&2
  exit 1
fi
