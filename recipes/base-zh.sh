#!/usr/bin/env bash
# A base that speaks Mandarin, from AISHELL-3 (218 speakers, 85 hours, Apache-2.0) or Baker (BZNSYP,
# one woman, 12 hours, non-commercial), both downloaded and unpacked, on one GPU or several:
#
#     recipes/base-zh.sh OUTPUT CORPUS [CORPUS...]
#
# An English corpus beside it (LJSpeech, VCTK, LibriTTS) lets the base read mixed text. Stopped, the
# same command goes on. GPUS=4 uses four. Then: clone-voice train CLIPS --name NAME --base OUTPUT
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: recipes/base-zh.sh OUTPUT CORPUS [CORPUS...]" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN:-$here/.venv/bin}
output=$1
shift
launch=("$bin/clone-voice")
if [ "${GPUS:-1}" -gt 1 ]; then
    launch=("$bin/accelerate" launch --multi_gpu --num_processes "$GPUS" --mixed_precision bf16
        "$bin/clone-voice")
fi
exec "${launch[@]}" pretrain "$@" -o "$output" --config "$here/recipes/base-zh.yaml" ${MINUTES:+--minutes "$MINUTES"}
