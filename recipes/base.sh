#!/usr/bin/env bash
# Make the base voice from its recordings: recipes/base.sh CORPORA OUTPUT
# CORPORA holds the folders that recipes/base.yaml names. Stopped, the same command goes on. With a
# processor that knows bf16 (AVX512-BF16, AMX) PRECISION=bf16 takes about half the time.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: recipes/base.sh CORPORA OUTPUT" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN:-$here/.venv/bin}
config=$here/recipes/base.yaml
if [ -n "${PRECISION:-}" ]; then
    config=$(mktemp --suffix .yaml)
    trap 'rm -f "$config"' EXIT
    { cat "$here/recipes/base.yaml"; echo "precision: $PRECISION"; } >"$config"
fi
"$bin/clone-voice" pretrain "$1"/{kathleen,kerstin,speechocean,librispeech} -o "$2" \
    --config "$config" ${MINUTES:+--minutes "$MINUTES"}
