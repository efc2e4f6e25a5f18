#!/bin/sh
# Builds docs/: the R package's manual and articles with pkgdown, each article run anew.
set -eu
cd "$(dirname "$0")/.."

export RETICULATE_PYTHON="${RETICULATE_PYTHON:-$PWD/.venv/bin/python}"

exec Rscript -e 'options(pkgdown.internet = FALSE); pkgdown::build_site(preview = FALSE, install = TRUE)'
