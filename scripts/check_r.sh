#!/bin/sh
# Builds the R package and checks it as CRAN would, its tests included; nothing may be an error or a warning.
set -eu
cd "$(dirname "$0")/.."

root=$PWD
export RETICULATE_PYTHON="${RETICULATE_PYTHON:-$root/.venv/bin/python}"
export _R_CHECK_CRAN_INCOMING_REMOTE_=false _R_CHECK_FORCE_SUGGESTS_=true _R_CHECK_SYSTEM_CLOCK_=0 NOT_CRAN=true
mkdir -p .cache/r
rm -rf .cache/r/*
cd .cache/r
R CMD build "$root"
# the PDF manual alone needs LaTeX
R CMD check --as-cran --no-manual mxtune_*.tar.gz || { cat mxtune.Rcheck/tests/*.Rout.fail 2>/dev/null; exit 1; }
if grep -q '^Status:.*WARNING' mxtune.Rcheck/00check.log; then
  echo "R CMD check warns; see above" >&2
  exit 1
fi
if ! grep -q '| SKIP 0 |' mxtune.Rcheck/tests/testthat.Rout; then
  echo "Tests of R were skipped; see .cache/r/mxtune.Rcheck/tests/testthat.Rout" >&2
  exit 1
fi
