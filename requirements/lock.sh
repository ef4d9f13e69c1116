#!/usr/bin/env bash
# Compiles every requirements/*.in into a *.lock of exact pins, without download addresses. Needs uv: `make lock`.
set -euo pipefail
cd "$(dirname "$0")"
uv=${UV:-uv}

compile() { # NAME [uv options]
  local name=$1; shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-emit-index-url \
    --no-header --no-annotate --override overrides.txt "$@" "$name.in" --output-file "$name.lock" ${UPGRADE:+--upgrade}
  echo "$name.lock: $(wc -l < "$name.lock") pins"
}

compile app-cpu --config-file uv-cpu.toml
compile app-gpu
compile model-server-cpu --config-file uv-cpu.toml
compile model-server-gpu
compile dev --config-file uv-cpu.toml
compile installer
