#!/usr/bin/env bash
# Installs Debian's chromium where no browser is and it may be installed (root, apt-get); the test of the example page
# drives it. Never fails: where it can't be had it says so, and that test is skipped.
set -uo pipefail

for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$program" ] && command -v "$program" >/dev/null; then
    echo "chromium: $(command -v "$program")"
    exit 0
  fi
done
skip() {
  echo "chromium: $1; the test in a browser is skipped" >&2
  exit 0
}
[ "$(id -u)" = 0 ] || skip "not installed, and only root may install it"
command -v apt-get >/dev/null || skip "not installed, and there is no apt-get"

export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
# About 110 MB with what it needs; where that takes longer, the test isn't worth it.
install() { timeout 150 apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; }
install || { timeout 60 apt-get update -qq >/dev/null 2>&1 && install; } || skip "apt-get could not install it"
echo "chromium: $(command -v chromium)"
