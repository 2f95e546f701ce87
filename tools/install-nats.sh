#!/usr/bin/env bash
# Installs Debian's nats-server where it is missing and may be installed (root, apt-get); the tests of the JetStream
# engine and of many nodes start it. Never fails: where it can't be had it says so, and those tests are skipped.
set -uo pipefail

if command -v nats-server >/dev/null; then
  echo "nats-server: $(nats-server --version 2>&1)"
  exit 0
fi
skip() {
  echo "nats-server: $1; the tests that need it are skipped" >&2
  exit 0
}
[ "$(id -u)" = 0 ] || skip "not installed, and only root may install it"
command -v apt-get >/dev/null || skip "not installed, and there is no apt-get"

# Nothing is to be started by the package: the tests start servers of their own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install() { timeout 120 apt-get install -y -qq --no-install-recommends nats-server >/dev/null 2>&1; }
install || { timeout 120 apt-get update -qq >/dev/null 2>&1 && install; } || skip "apt-get could not install it"
echo "nats-server: $(nats-server --version 2>&1)"
