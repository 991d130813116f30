#!/usr/bin/env bash
# What the tests need in addition to Python: Java 17, Maven, Debian's redis-server, prometheus,
# prometheus-alertmanager and chromium (the built-in board is read in it). Prints and changes nothing if everything is present.
#
# As root on Debian it installs what is missing, without starting the installed servers as services.
# Elsewhere it says what to install and continues (tests that need a missing part are then skipped, and
# name it), unless CI=true: then a missing part is an error.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }

java_17() {
  has java || return 1
  local major
  major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)
  [ "${major:-0}" -ge 17 ]
}

missing=()
java_17 || missing+=(java)
has mvn || missing+=(maven)
has redis-server || missing+=(redis-server)
{ has prometheus && has promtool; } || missing+=(prometheus)
{ has alertmanager || has prometheus-alertmanager; } && has amtool || missing+=(prometheus-alertmanager)
{ has chromium || has google-chrome; } || missing+=(chromium fonts-inter)
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! has apt-get; then
  echo "make test: missing ${missing[*]}; tests that need them cannot run" >&2
  echo "  Debian: apt-get install openjdk-17-jre-headless maven redis-server prometheus prometheus-alertmanager chromium fonts-inter" >&2
  echo "  macOS:  brew install openjdk@17 maven redis prometheus alertmanager && brew install --cask google-chrome" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

# Debian starts a server when it installs it, unless this file forbids it. It is removed afterwards, if we created it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "make test: installing ${missing[*]}" >&2
apt-get update -qq
packages=()
for part in "${missing[@]}"; do
  if [ "$part" = java ]; then
    part=default-jre-headless
    if apt-cache show openjdk-17-jre-headless >/dev/null 2>&1; then part=openjdk-17-jre-headless; fi
  fi
  packages+=("$part")
done
# Another apt may be running on a machine that has just booted.
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "${packages[@]}" >/dev/null
