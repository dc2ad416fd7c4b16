#!/usr/bin/env bash
# install-packages.sh PACKAGE...: installs Debian packages with apt-get, as root or
# with sudo.
set -euo pipefail

as_root=()
((EUID == 0)) || as_root=(sudo)

# Completes an interrupted installation: until then, dpkg refuses all others.
"${as_root[@]}" dpkg --configure -a || true
# A failure is ignored, because the existing package list may suffice.
"${as_root[@]}" apt-get update -qq || true
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends "$@"
