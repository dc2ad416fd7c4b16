# What the lab's scripts share; read by `source`.

lab_source=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Exit codes, so that a caller can tell the reasons apart.
exit_usage=2        # called wrongly
exit_platform=3     # not Debian or Ubuntu on x86_64
exit_packages=4     # programs are missing: `prepare.sh --missing` lists them
exit_store=5        # no Nix store that this user may write to
exit_download=6     # apt cannot download
exit_disk=7         # a disk is full
exit_not_prepared=8 # prepare.sh has not been run for this cache

fail() { # exit code, lines
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# How this user reaches the Nix store: "direct", or "daemon".
store_access() {
  if [[ -w /nix/store ]] || { [[ $EUID == 0 ]] && [[ ! -e /nix/store ]]; }; then
    echo direct
  elif [[ -w /nix/var/nix/daemon-socket/socket ]]; then
    echo daemon
  fi
}

# The environment in which Nix knows the lab and nothing of the user's own
# configuration, as KEY=value lines.
lab_environment() { # directory of a prepared lab
  local access
  access=$(store_access)
  echo "NIX_CONF_DIR=$1"
  echo "NIX_USER_CONF_FILES=/dev/null"
  echo "NIX_CONFIG="
  echo "NIX_PATH="
  echo "NIX_REMOTE=${access/direct/}"
  echo "PATH=$1/bin:$PATH"
}
