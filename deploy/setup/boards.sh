#!/usr/bin/env bash
# What `make boards` needs in addition to `make test`: Node 20, npm, a browser with the font Inter, and Grafana's
# components from npm in the locked versions, bundled. It prints nothing if everything is present.
#
# As root on Debian it installs the browser and the font; elsewhere it says what to install, and fails.
set -euo pipefail
cd "$(dirname "$0")/../../grafana/render"

has() { command -v "$1" >/dev/null 2>&1; }

if ! has npm || ! has node || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "make boards: Node 20 or newer with npm is missing; install the packages nodejs and npm, or get them from nodejs.org" >&2
  exit 1
fi

packages=()
has chromium || has google-chrome || packages+=(chromium)
{ has fc-list && fc-list : family | grep -q '^Inter'; } || packages+=(fontconfig fonts-inter)
if [ "${#packages[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    echo "make boards: missing ${packages[*]}; as root on Debian: apt-get install ${packages[*]}" >&2
    exit 1
  fi
  # Debian starts a service when it installs one, unless this file forbids it. It is removed afterwards, if we created it.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  echo "make boards: installing ${packages[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "${packages[@]}" >/dev/null
fi

if [ ! -e node_modules/.complete ] || [ package-lock.json -nt node_modules/.complete ]; then
  echo "make boards: fetching Grafana's components (450 MB, about a minute)" >&2
  npm ci --silent --no-progress
  touch node_modules/.complete
fi

if [ ! -e dist/main.js ] || [ -n "$(find src build.mjs index.html node_modules/.complete -newer dist/main.js -print -quit)" ]; then
  node --test checks/ >/dev/null || { node --test checks/; exit 1; }
  node build.mjs
fi
