#!/usr/bin/env bash
# Refuse a change of proto/ that breaks deployed clients, against the last release tag, or main where there is none yet.
set -euo pipefail
cd "$(dirname "$0")/.."
base=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [ -z "$base" ]; then
  for name in origin/main main; do
    if git rev-parse --quiet --verify "$name^{commit}" >/dev/null; then base=$name; break; fi
  done
fi
if [ -z "$base" ]; then
  echo "nothing to compare proto/ with: no tag v* and no main" >&2
  exit 1
fi
if ! git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
  echo "$base has no proto/ yet: nothing can break"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git archive "$base" proto | tar -x -C "$folder"
cd proto && ../node_modules/.bin/buf breaking --against "$folder/proto"
echo "proto/ breaks nothing of $base"
