#!/bin/sh
# Writes requirements.lock from pyproject.toml, and requirements-r.lock: pins with hashes, and no address of any package index.
set -eu
cd "$(dirname "$0")/.."

tools=.cache/lock-tools
.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "The lock is made on Python 3.11: remove .venv, and run PYTHON=python3.11 make lock" >&2
  exit 1
}
[ -x $tools/bin/pip-compile ] || {
  .venv/bin/python -m venv $tools
  $tools/bin/python -m pip install -q --disable-pip-version-check pip-tools==7.6.2
}

compile() { # compile LOCK TITLE ARGUMENTS...
  lock=$1 title=$2
  shift 2
  $tools/bin/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options -o .cache/new.lock "$@"
  { echo "$title"; grep -v '^#' .cache/new.lock | grep .; } >"$lock"
  rm .cache/new.lock
}

compile requirements.lock \
  '# Every package of .venv (runtime, report, tables, keras, hub, serve, dev), with the hashes of its files. Made by `make lock` on Python 3.11; not edited by hand.' \
  --extra report --extra tables --extra keras --extra hub --extra serve --extra dev pyproject.toml

# rpy2 3.5.17 fits R 4.2 to 4.4; what it shares with requirements.lock has the same version
sed 's/ *\\$//; /^ *--hash/d; /^#/d' requirements.lock >.cache/constraints.txt
echo 'rpy2==3.5.17' >.cache/requirements-r.in
compile requirements-r.lock \
  '# What hosts R in .venv beside requirements.lock, for R 4.2 to 4.4. Made by `make lock`; not edited by hand.' \
  -c .cache/constraints.txt .cache/requirements-r.in
