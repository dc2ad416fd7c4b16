# Functions and constants of the lab's scripts. Load it with `source`.

lab_source=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Exit statuses that tell callers why a script failed.
exit_usage=2        # invalid arguments
exit_platform=3     # not Debian or Ubuntu on x86_64
exit_packages=4     # missing programs: `prepare.sh --missing` lists their packages
exit_store=5        # no Nix store that this user can write to
exit_download=6     # apt cannot download
exit_disk=7         # not enough disk space
exit_not_prepared=8 # prepare.sh has not prepared a lab in this cache

fail() { # exit status, lines
  local status=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$status"
}

# Prints how this user accesses the Nix store: "direct", "daemon", or nothing.
store_access() {
  if [[ -w /nix/store ]] || { [[ $EUID == 0 ]] && [[ ! -e /nix/store ]]; }; then
    echo direct
  elif [[ -w /nix/var/nix/daemon-socket/socket ]]; then
    echo daemon
  fi
}

# Prints an environment, as KEY=value lines, in which Nix uses the lab and
# ignores the user's own configuration.
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
