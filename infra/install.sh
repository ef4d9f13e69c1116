#!/usr/bin/env bash
# Makes the environments from the locks and builds the page: infra/install.sh [--dev]. Called by `make install`.
#
#   .venv        the application       (requirements/app-{cpu,gpu}.lock, with --dev also dev.lock)
#   .venv-model  the model server      (requirements/model-server-{cpu,gpu}.lock; left out when a server is named)
#   apps/web     the chat page         (npm)
#
# Each part leaves a stamp, a hash of all that went into it, so that a second run does nothing. A part that was
# interrupted leaves a mark and is installed anew. Packages come from wherever pip and npm are configured to look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
dev=
[ "${1:-}" = --dev ] && dev=1

exec 3>&2 # so that an interruption is told while a step's output goes to its log
fail() { echo "install: $*" >&3; exit 1; }
hash_of() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-40; }

# --- a step with its time, quiet unless it fails ---------------------------------------------------------------------
log=$(mktemp "${TMPDIR:-/tmp}/footnote-install.XXXXXX")
ticker=
trap '[ -z "$ticker" ] || kill "$ticker" 2>/dev/null || true; rm -f "$log"' EXIT
trap 'fail "interrupted; run it again to go on"' INT TERM HUP

tick() { while :; do printf '\r  %-46s %4ds ' "$1" $((SECONDS - $2)); sleep 1; done; }

step() { # TITLE COMMAND...
  local title=$1 began=$SECONDS
  shift
  if [ -t 1 ]; then tick "$title" "$began" & ticker=$!; else echo "  $title ..."; fi
  local status=0
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ -n "$ticker" ]; then kill "$ticker" 2>/dev/null; wait "$ticker" 2>/dev/null || true; ticker=; printf '\r'; fi
  if [ "$status" -ne 0 ]; then
    printf '  %-46s failed; its last lines:\n\n' "$title" >&2
    tail -n 25 "$log" >&2
    exit 1
  fi
  printf '  %-46s %4ds done\n' "$title" $((SECONDS - began))
}

# --- what is there ---------------------------------------------------------------------------------------------------
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in ${PYTHON:-} python3.12 python3.11 python3.13 python3; do
    if command -v "$name" >/dev/null && new_enough "$name"; then command -v "$name"; return; fi
  done
  fail "no Python 3.11 or newer on the PATH. Install one, or name it: PYTHON=/path/to/python3.12 make install"
}

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU '; }

# A model server named in the environment or in .env makes our own needless.
own_model_server() {
  [ -z "${FOOTNOTE_SERVING__BASE_URL:-}" ] && ! { [ -f .env ] && grep -qi '^FOOTNOTE_SERVING__BASE_URL=.' .env; }
}

# --- stamps ----------------------------------------------------------------------------------------------------------
stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
begun() { mkdir -p "$(dirname "$1")" && rm -f "$1" && : >"$1.unfinished"; }
finished() { echo "$2" >"$1" && rm -f "$1.unfinished"; }
inputs_hash() { { echo "$root $*"; cat "$@" infra/install.sh; } | hash_of; }

# --- Python environments ---------------------------------------------------------------------------------------------
make_environment() { # FOLDER [venv options]
  local folder=$1; shift
  if [ "$("$folder/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null)" = "$root/$folder" ]; then return; fi
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null \
    || fail "$python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"
  step "New environment $folder" "$python" -m venv --clear "$@" "$folder"
}

# uv lives beside the packages of .venv, not among them, so that syncing to a lock leaves it alone.
uv=$root/.venv/uv/bin/uv
install_uv() {
  local pin
  pin=$(grep '^uv==' requirements/installer.lock)
  if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" = "${pin#uv==}" ]; then return; fi
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
  step "Installer (uv)" .venv/bin/python -m pip install --quiet --upgrade --target .venv/uv -r requirements/installer.lock
}

# nltk refuses hard-linked files, hence copies; importing torch and friends uncompiled takes half a minute.
export UV_LINK_MODE=copy
sync_environment() { # FOLDER STAMP LOCKS...
  local folder=$1 stamp=$2; shift 2
  local options=(--quiet --python "$folder/bin/python" --compile-bytecode)
  local links=${UV_FIND_LINKS:-$(.venv/bin/python -m pip config get global.find-links 2>/dev/null || true)}
  links=${PIP_FIND_LINKS:-$links}
  local index
  index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  index=${PIP_INDEX_URL:-$index}
  if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then options+=(--default-index "$index"); fi
  if [ -n "$links" ]; then
    local place
    for place in $links; do options+=(--find-links "$place"); done
  elif [ "$variant" = gpu ]; then
    options+=(--torch-backend auto)
  else
    options+=(--torch-backend cpu)
  fi
  if [ -f "$stamp.unfinished" ]; then options+=(--reinstall); fi
  begun "$stamp"
  "$uv" pip sync "${options[@]}" "$@"
}

install_application() {
  local stamp=.venv/stamps/application locks=("requirements/app-$variant.lock") plain full
  plain=$(inputs_hash "${locks[@]}" pyproject.toml)
  full=$(inputs_hash "${locks[@]}" requirements/dev.lock pyproject.toml)
  if stamped "$stamp" "$full" || { [ -z "$dev" ] && stamped "$stamp" "$plain"; }; then return; fi
  # What was once made for development stays so.
  if [ -n "$dev" ] || [ -x .venv/bin/pytest ]; then locks+=(requirements/dev.lock); plain=$full; fi
  make_environment .venv
  install_uv
  step "Application environment (.venv, $variant)" sync_application "$stamp" "${locks[@]}"
  finished "$stamp" "$plain"
}

sync_application() { # STAMP LOCKS...
  sync_environment .venv "$@" \
    && "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

install_model_server() {
  local lock=requirements/model-server-$variant.lock stamp=.venv-model/stamps/model-server now
  now=$(inputs_hash "$lock")
  if stamped "$stamp" "$now"; then return; fi
  make_environment .venv-model --without-pip
  step "Model server environment (.venv-model, $variant)" sync_environment .venv-model "$stamp" "$lock"
  finished "$stamp" "$now"
}

# --- the page --------------------------------------------------------------------------------------------------------
web_hash() {
  (cd apps/web && find . \( -name node_modules -o -name dist -o -name .vite \) -prune -o -type f -print \
    | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat) | hash_of
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null \
    || fail "Node.js 20.19 or newer with npm is needed to build the page: install it from your system's packages or nodejs.org"
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' \
    || fail "Node.js $(node --version) is too old to build the page: install version 20.19 or newer"
}

build_page() { (cd apps/web && npm ci --no-audit --no-fund && npm run build); }

install_page() {
  local stamp=.venv/stamps/page now
  now=$(web_hash)
  if stamped "$stamp" "$now" && [ -f apps/web/dist/index.html ]; then return; fi
  begun "$stamp"
  step "Chat page (apps/web)" build_page
  finished "$stamp" "$now"
}

variant=cpu
if has_gpu; then variant=gpu; fi
if ! { stamped .venv/stamps/page "$(web_hash)" && [ -f apps/web/dist/index.html ]; }; then need_node; fi
install_application
if own_model_server; then install_model_server; fi
install_page
