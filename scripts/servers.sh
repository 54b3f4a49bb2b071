#!/usr/bin/env bash
# Brings Redis 8, Valkey 8 and Valkey 9 into a folder, for tests that run on them: scripts/servers.sh DIR
#
# They are those of Debian 13 and of its next release, which go to DIR/root and DIR/next: the packages of the machine stay as they are.
# DIR/redis-8/redis-server, DIR/valkey-8/valkey-server and DIR/valkey-9/valkey-server then run there, each with that release's own
# libraries:
#   REDLAYER_TEST_SERVER=DIR/valkey-8/valkey-server npm test
# The machine must be a Debian, and the user root, because debootstrap needs both.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: scripts/servers.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)

if ! command -v debootstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap
fi

# the mirror from which this machine takes its own release
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(LABEL) $(REPO_URI)' | sed -n 's/^Packages Debian //p' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo "apt names no mirror of Debian" >&2; exit 1; }

# release, root, servers with a comma between them
bring() {
  local server
  for server in ${3//,/ }; do
    if ! [ -x "$2/usr/bin/$server" ]; then
      # what an interrupted run has left would be taken for a complete system
      rm -rf "$2"
      debootstrap --variant=minbase --include="$3" "$1" "$2" "$mirror"
      return
    fi
  done
}

# root, wrapper. `exec`, because tests signal the process that they have started
wrapper() {
  local loader libraries
  loader=$(find "$1/usr/lib" -name 'ld-linux-*.so.*' | sort | head -n 1)
  libraries=$(dirname "$(find "$1/usr/lib" -name 'libc.so.6' | sort | head -n 1)")
  mkdir -p "$(dirname "$2")"
  printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' "$loader" "$libraries" "$1/usr/bin/$(basename "$2")" >"$2"
  chmod 755 "$2"
  "$2" --version
}

bring trixie "$dir/root" redis-server,valkey-server
wrapper "$dir/root" "$dir/redis-8/redis-server"
wrapper "$dir/root" "$dir/valkey-8/valkey-server"

bring sid "$dir/next" valkey-server
wrapper "$dir/next" "$dir/valkey-9/valkey-server"
