#!/usr/bin/env bash
# Create .venv and install Watchroom in it, with the versions in constraints.txt.
#
#   deploy/setup/venv.sh PYTHON EXTRAS      for example: deploy/setup/venv.sh python3 embedded,dev
#
# An existing .venv is used as it is. On a Debian machine whose Python lacks its venv module, root installs
# the module with apt; for any other user, it says what to install.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:?which Python, for example python3}
extras=${2:?which extras, for example embedded,dev}

fail() {
  printf 'make install: %s\n' "$@" >&2
  exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ! new_enough "$python"; then
  for other in python3.14 python3.13 python3.12 python3.11; do
    if new_enough "$other"; then python=$other && break; fi
  done
  new_enough "$python" || fail \
    "found $("$python" --version 2>&1 | tail -1 || true) as '$python'; Watchroom needs Python 3.11 or newer" \
    "install one (Debian 12: apt-get install python3-venv; macOS: brew install python@3.12)" \
    "or name one: make install PYTHON=/path/to/python3.12"
fi

make_venv() { "$python" -m venv .venv; }

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if ! make_venv >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
      apt-get update -qq
      apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "python$version-venv" >/dev/null
    fi
    rm -rf .venv
    make_venv || fail "'$python -m venv' does not work; install it (Debian: apt-get install python3-venv) and try again"
  fi
fi

.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" --constraint constraints.txt
