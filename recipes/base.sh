#!/usr/bin/env bash
# Make the base voice from its recordings: recipes/base.sh CORPORA WORK OUTPUT
# Every stage resumes where it was killed. About 3 hours on 2 cores with the steps given here.
set -euo pipefail
corpora=$1 work=$2 output=$3
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
base() { "$python" recipes/base.py "$@"; }

[ -f "$work/index.json" ] || base pack --corpora "$corpora" --work "$work"
base align --work "$work"
base autoencoder --work "$work"
# these two touch different parts of the network
base --threads 1 critics --work "$work" &
base --threads 1 prior --work "$work"
wait
base join --work "$work"
base export --work "$work" -o "$output"
base score -o "$output"
