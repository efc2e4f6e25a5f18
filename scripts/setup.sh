#!/bin/sh
# Installs what a goal of the Makefile needs and this machine lacks; a second run installs nothing and takes no time.
#   scripts/setup.sh python|data|r|torch|docs|web|cluster ...       PYTHON=python3.x chooses the Python of .venv
set -eu
cd "$(dirname "$0")/.."

DEB_PYTHON="python3-venv libgomp1 libquadmath0 curl"
DEB_DATA="dataset-fashion-mnist"
DEB_R="r-base-core r-base-dev r-cran-reticulate r-cran-cli r-cran-rlang r-cran-generics r-cran-ggplot2 r-cran-knitr
  r-cran-rmarkdown r-cran-testthat r-cran-withr r-cran-callr r-cran-png r-cran-magick r-cran-tibble r-cran-roxygen2
  r-cran-bit64 r-cran-lintr r-cran-dplyr r-cran-data.table r-cran-future r-cran-furrr r-cran-foreach r-cran-doparallel
  r-cran-plumber r-cran-shiny r-cran-jsonlite pandoc qpdf python3-dev locales"
DEB_DOCS="r-cran-pkgdown chromium"
DEB_WEB="chromium"
DEB_CLUSTER="openjdk-17-jre-headless r-base-core r-cran-reticulate"
CLUSTER="ray[client,data]==2.60.0 aiohttp>=3.9 pyspark==4.3.0"
ONNXRUNTIME_WEB=1.30.0
TORCH=2.13.0 # where it is to be had; Macs with Intel and Python 3.9 get the last one before it

say() { printf '%s\n' "$@" >&2; }
stop() { say "$@"; exit 1; }

debian() { [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# The Debian packages among "$@" that are not installed.
missing_debs() {
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || printf '%s ' "$name"
  done
}

# need PACKAGES...: Debian's packages, installed if missing; elsewhere a word on what to install.
need() {
  if ! debian; then
    [ -f .venv/made-from ] || say "Not a Debian system. If something is missing below, install what is called here: $*"
    return 0
  fi
  missing=$(missing_debs "$@")
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || stop "Debian packages are missing. Install them, then run make again:" \
    "  sudo apt-get update && sudo apt-get install --no-install-recommends $missing"
  say "Installing Debian packages: $missing"
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p .cache
  # shellcheck disable=SC2086 # a list of words
  { apt-get update && apt-get install -y --no-install-recommends $missing; } >.cache/apt.log 2>&1 || {
    tail -n 20 .cache/apt.log >&2
    stop "apt-get failed; its whole output is in .cache/apt.log"
  }
}

# make runs where sh and .venv/bin are; MXNet has no wheel for Apple silicon, where .venv does without.
platform() {
  case "$(uname -s)" in
    Linux | Darwin) ;;
    *) stop "make does not run on $(uname -s): pip install works there, with PyTorch as the engine. To run the tests use WSL 2 with Debian 12." ;;
  esac
}

fits() { # fits PYTHON: version 3.9 to 3.14, and a shared libpython, which R needs to host it
  "$1" -c 'import sys, sysconfig
shared = sysconfig.get_config_var("Py_ENABLE_SHARED") or sysconfig.get_config_var("PYTHONFRAMEWORK")
sys.exit(not ((3, 9) <= sys.version_info[:2] <= (3, 14) and shared))' 2>/dev/null
}

choose_python() { # a Python given by name is taken as it is; otherwise the system's own first
  if [ -n "${PYTHON:-}" ]; then echo "$PYTHON"; return; fi
  for candidate in /usr/bin/python3.11 /usr/bin/python3 python3.11 python3.12 python3.13 python3.14 python3.10 python3.9 python3; do
    if fits "$candidate"; then echo "$candidate"; return; fi
  done
  stop "No Python 3.9 to 3.14 with a shared library was found (R needs the library)." \
    "Debian's python3 has it; one of pyenv's is built with PYTHON_CONFIGURE_OPTS=--enable-shared." \
    "Another one is taken with PYTHON=/path/to/python make ..., without a promise for R."
}

stamp() { cat "$@" | cksum | tr ' ' '-'; }

# environment FOLDER [WITHOUT]: what the tests need, in a Python of its own, and without a package if one is named.
environment() {
  folder=$1 without=${2:-nothing}
  stamp=$(stamp requirements.lock pyproject.toml setup.py)-$TORCH
  # an environment moved here from elsewhere doesn't start, and is made again
  [ "$(cat "$folder/made-from" 2>/dev/null)" = "$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null && return 0
  chosen=$(choose_python)
  if ! "$folder/bin/python" -c '' 2>/dev/null; then
    rm -rf "$folder"
    "$chosen" -m venv "$folder" || stop "$chosen could not make $folder; on Debian and Ubuntu its venv module is a package of its own."
  fi
  say "Installing the pinned Python packages into $folder (about a minute, once)"
  mkdir -p .cache
  pip="$folder/bin/python -m pip --disable-pip-version-check"
  if "$folder/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'; then
    sed "/^$without==/,/^[^ ]/{ /^$without==/d; /^ /d; }" requirements.lock >.cache/lock.txt
    $pip install -q --require-hashes -r .cache/lock.txt
  else # the lock doesn't fit: the newest packages, and MXNet despite its metadata, which asks for NumPy 1
    $pip install -q ".[report,tables,keras,hub,serve,dev]"
    mxnet_has_wheels && $pip install -q --no-deps mxnet==1.9.1
    $pip uninstall -q -y mxtune "$without"
  fi
  # PyTorch is not in the lock, since builds for the CPU alone have other hashes; nothing that is pinned moves for it
  $pip freeze --exclude-editable >.cache/pinned.txt
  $pip install -q -c .cache/pinned.txt "torch>=2.2,<=$TORCH"
  $pip install -q --no-deps --no-build-isolation -e .
  echo "$stamp" >"$folder/made-from"
}

mxnet_has_wheels() {
  case "$(uname -s)-$(uname -m)" in Linux-x86_64 | Linux-aarch64 | Darwin-x86_64) ;; *) return 1 ;; esac
}

python() { environment .venv; }

# The same without MXNet, in which every test must pass that is not about MXNet itself.
torch() {
  environment .cache/without-mxnet mxnet
  r_hosts .cache/without-mxnet
}

r() {
  command -v Rscript >/dev/null || stop "R is missing: install R 4.2 or later, and run make again."
  python
  r_hosts .venv
}

# r_hosts FOLDER: what hosts R in a Python.
r_hosts() {
  folder=$1
  stamp=$(stamp requirements-r.lock)-$(Rscript --version 2>&1 | cksum | tr ' ' '-')
  [ "$(cat "$folder/made-for-r" 2>/dev/null)" = "$stamp" ] && return 0
  say "Installing the Python packages that host R into $folder"
  pip="$folder/bin/python -m pip --disable-pip-version-check"
  # versions 3.5 and 3.6 lie in one folder: one can't be installed over the other
  $pip uninstall -q -y rpy2 rpy2-rinterface rpy2-robjects 2>/dev/null
  if Rscript -e 'quit(status = getRversion() >= "4.5")'; then
    $pip install -q --no-deps --require-hashes -r requirements-r.lock
  else # the lock doesn't fit: rpy2 3.5 knows no R from 4.5 on
    $pip install -q "rpy2>=3.6"
  fi
  echo "$stamp" >"$folder/made-for-r"
}

# A Python of its own with Ray and Spark: 2 GB.
cluster() {
  environment .cache/cluster
  [ "$(cat .cache/cluster/made-for-clusters 2>/dev/null)" = "$CLUSTER" ] && return 0
  say "Installing Ray and Spark into .cache/cluster"
  .cache/cluster/bin/python -m pip --disable-pip-version-check freeze --exclude-editable >.cache/pinned.txt
  # shellcheck disable=SC2086 # a list of words
  .cache/cluster/bin/python -m pip --disable-pip-version-check install -q -c .cache/pinned.txt $CLUSTER
  echo "$CLUSTER" >.cache/cluster/made-for-clusters
}

# The R package itself, from this tree, for what runs it: the demo and the tests of Python hosting R. Of its articles it
# has the one that trains nothing, which an error may point to: vignette("setup").
r_package() {
  library=.venv/R-library
  stamp=$(find DESCRIPTION NAMESPACE R src inst vignettes/setup.Rmd python/mxtune -type f ! -name '*.py[co]' ! -name '*.o' ! -name '*.so' |
    LC_ALL=C sort | xargs cat | cksum)
  [ "$(cat $library/made-from 2>/dev/null)" = "$stamp" ] && return 0
  say "Installing the R package into $library"
  mkdir -p $library .cache
  tree=.cache/r-package
  rm -rf $tree
  mkdir -p $tree/mxtune/vignettes
  cp -RL DESCRIPTION NAMESPACE NEWS.md .Rbuildignore R man src inst $tree/mxtune
  cp vignettes/setup.Rmd $tree/mxtune/vignettes
  { (cd $tree && R CMD build mxtune) && R CMD INSTALL --no-test-load --library=$library $tree/mxtune_*.tar.gz; } \
    >.cache/r-install.log 2>&1 || {
    tail -n 20 .cache/r-install.log >&2
    stop "R CMD INSTALL failed; its whole output is in .cache/r-install.log"
  }
  rm -rf $tree
  echo "$stamp" >$library/made-from
}

# onnxruntime for browsers, 140 MB: what a page of a model needs of it is 14 MB.
web() {
  [ "$(cat .cache/web/made-from 2>/dev/null)" = "$ONNXRUNTIME_WEB" ] && return 0
  say "Installing onnxruntime-web into .cache/web"
  mkdir -p .cache/web
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix .cache/web "onnxruntime-web@$ONNXRUNTIME_WEB" ||
    stop "npm could not install onnxruntime-web."
  echo "$ONNXRUNTIME_WEB" >.cache/web/made-from
}

debs=
for part in "$@"; do
  case "$part" in
    python) platform; debs="$debs $DEB_PYTHON" ;;
    data) debs="$debs $DEB_DATA" ;;
    r | torch) platform; debs="$debs $DEB_PYTHON $DEB_R" ;;
    docs) debs="$debs $DEB_DOCS" ;;
    cluster) platform; debs="$debs $DEB_PYTHON $DEB_CLUSTER" ;;
    web) debs="$debs $DEB_WEB"; command -v npm >/dev/null || debs="$debs npm" ;;
    *) stop "scripts/setup.sh: unknown part $part" ;;
  esac
done
# shellcheck disable=SC2046,SC2086 # a list of words
need $(printf '%s\n' $debs | sort -u)
for part in "$@"; do
  case "$part" in
    python) python ;;
    r) r && r_package ;;
    torch) torch ;;
    web) web ;;
    cluster) cluster ;;
  esac
done
