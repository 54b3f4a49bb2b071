#!/usr/bin/env bash
# Brings Redis 8 and Valkey 8 into a folder, for tests that run on them: scripts/servers.sh DIR
#
# They are those of Debian 13, which goes to DIR/root: the packages of the machine stay as they are.
# DIR/redis-8/redis-server and DIR/valkey-8/valkey-server then run there, each with that release's own libraries:
#   REDLAYER_TEST_SERVER=DIR/valkey-8/valkey-server npm test
# The machine must be a Debian, and the user root, because debootstrap needs both.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: scripts/servers.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root

if ! command -v debootstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap
fi

if ! [ -x "$root/usr/bin/redis-server" ] || ! [ -x "$root/usr/bin/valkey-server" ]; then
  # the mirror from which this machine takes its own release
  mirror=$(apt-get indextargets --format '$(CREATED_BY) $(LABEL) $(REPO_URI)' | sed -n 's/^Packages Debian //p' | sort -u | head -n 1)
  [ -n "$mirror" ] || { echo "apt names no mirror of Debian" >&2; exit 1; }
  # what an interrupted run has left would be taken for a complete system
  rm -rf "$root"
  debootstrap --variant=minbase --include=redis-server,valkey-server trixie "$root" "$mirror"
fi

loader=$(find "$root/usr/lib" -name 'ld-linux-*.so.*' | sort | head -n 1)
libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6' | sort | head -n 1)")

# `exec`, because tests signal the process that they have started
wrapper() {
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' "$loader" "$libraries" "$root/usr/bin/$(basename "$1")" >"$1"
  chmod 755 "$1"
  "$1" --version
}
wrapper "$dir/redis-8/redis-server"
wrapper "$dir/valkey-8/valkey-server"
