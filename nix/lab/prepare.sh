#!/usr/bin/env bash
# prepare.sh CACHE       makes the offline lab in CACHE, unless it is there
# prepare.sh --packages  prints the apt packages that this needs
# prepare.sh --missing   prints those of them that are not installed
#
# Progress goes to stdout as "[step/steps] what" lines, errors to stderr. The
# lab is built in a directory of its own, which takes the place of an older lab
# only when it is complete: an interrupted run leaves no half of one.
#
#   CACHE/debs             downloaded Debian packages, kept for the next time
#   CACHE/lab              link to the lab that is in use:
#     nix.conf             Nix' configuration, in place of the user's
#     bin                  programs for the steps: nixos-anywhere, nixos-rebuild, qemu
#     inputs/<input>       links to the flakes that stand in for the real ones
#     roots                what keeps Nix from collecting all this as garbage
#
# The exit codes are listed in common.sh.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/common.sh"

steps=5
megabytes_cache=500 # the downloads, and the unpacked packages for a while
megabytes_store=800 # the unpacked packages, the packages made of them

packages() {
  echo git
  echo nix-bin
  [[ $EUID == 0 ]] || echo nix-setup-systemd
}

missing_packages() {
  local package
  for package in $(packages); do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      echo "$package"
  done
}

check_platform() {
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    fail "$exit_platform" "The lab needs Linux on x86_64; this is $(uname -sm)."
  [[ $(type -t apt-get) && $(type -t dpkg-deb) ]] ||
    fail "$exit_platform" "The lab is made of Debian packages: it needs Debian or Ubuntu."
}

check_nix() {
  [[ $(type -t nix) && $(type -t git) ]] ||
    fail "$exit_packages" "Programs are missing: apt-get install $(missing_packages | paste -sd' ')"
  [[ $(store_access) ]] || fail "$exit_store" \
    "You ($(id -un)) may not write to the Nix store. Either run this as root, or install" \
    "Debian's daemon (apt-get install nix-setup-systemd) and join its group" \
    "(adduser $(id -un) nix-users), then log in again."
}

free_megabytes() { # directory
  df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9
}

# A directory, or the nearest one above it that exists.
existing() {
  local dir=$1
  while [[ ! -d $dir ]]; do
    dir=$(dirname "$dir")
  done
  echo "$dir"
}

check_disk() { # directory, megabytes
  local free
  free=$(free_megabytes "$(existing "$1")")
  ((free >= $2)) || fail "$exit_disk" \
    "Not enough space for the lab: $1 has $free MB left, the lab needs $2 MB there." \
    "Free some, or choose another place for the cache by UNDERSTUDY_CACHE."
}

# A lab is as good as new while nothing it is made from has changed here and
# its store paths are there. That apt has newer packages does not matter: a lab
# that worked must not need the network again.
key() {
  sources . | sort -z | (cd "$lab_source" && xargs -0 sha256sum) | sha256sum | cut -c1-16
}

# The files under a directory of nix/lab that a lab is made from: not its tests
# and what they read.
sources() { # directory
  (cd "$lab_source" && find "$1" -name fixtures -prune -o -type f ! -name '*.ts' -print0)
}

copy_sources() { # directory, target
  sources "$1" | tar -C "$lab_source" --null --files-from=- -c | tar -C "$2" -x
}

is_ready() {
  [[ -e $cache/lab/nix.conf && $(readlink "$cache/lab") == "lab-$1" ]] || return 1
  local link
  for link in "$cache"/lab/inputs/* "$cache"/lab/roots/*; do
    [[ -e $link ]] || return 1
  done
}

step=0
progress() { # what
  step=$((step + 1))
  echo "[$step/$steps] $1"
}

add_to_store() { # directory -> its store path
  nix store add-path --name source "$1"
}

write_nix_conf() { # file
  {
    echo "# Nix as the lab runs it, in place of the user's own configuration."
    echo "experimental-features = nix-command flakes"
    echo "warn-dirty = false"
    echo "substituters ="
    echo "flake-registry = $final/registry.json"
    if [[ $(store_access) == direct ]]; then
      echo "max-jobs = auto"
      # No users of its own for builds: Debian's nix-bin creates none.
      echo "build-users-group ="
      # A container, as CI has it, may not create the namespaces of a sandbox;
      # and builds see the lab's packages only, with it or without.
      echo "sandbox = false"
    fi
  } >"$1"
}

# With the Nix of the lab, not that of the user.
use_lab() {
  local line
  while IFS= read -r line; do
    export "${line?}"
  done < <(lab_environment "$1")
}

prepare() {
  # The debris of runs that were killed.
  rm -rf "$cache"/partial-*
  partial=$(mktemp -d "$cache/partial-XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  mkdir "$partial/lab" "$partial"/lab/{bin,inputs,roots}
  write_nix_conf "$partial/lab/nix.conf"
  use_lab "$partial/lab"

  progress "Collecting Debian packages"
  "$lab_source/collect.sh" "$cache/debs" "$partial/debian"

  progress "Adding them to the Nix store"
  local debian nar_hash
  debian=$(add_to_store "$partial/debian")
  nar_hash=$(nix hash path "$debian")
  rm -rf "$partial/debian"

  progress "Adding the flakes that stand in for nixpkgs, disko and srvos"
  local nixpkgs
  copy_sources nixpkgs "$partial"
  cat >"$partial/nixpkgs/debian.nix" <<END
# The Debian packages that collect.sh has unpacked on this machine.
builtins.fetchTree {
  type = "path";
  path = "$debian";
  narHash = "$nar_hash";
}
END
  nixpkgs=$(add_to_store "$partial/nixpkgs")
  ln -s "$nixpkgs" "$partial/lab/inputs/nixpkgs"
  ln -s "$(add_to_store "$lab_source/stubs/disko")" "$partial/lab/inputs/disko"
  ln -s "$(add_to_store "$lab_source/stubs/srvos")" "$partial/lab/inputs/srvos"
  cat >"$partial/lab/registry.json" <<END
{ "version": 2, "flakes": [
  { "from": { "type": "indirect", "id": "nixpkgs" }, "to": { "type": "path", "path": "$nixpkgs" } }
] }
END

  progress "Building the packages"
  nix build --quiet --out-link "$partial/lab/roots/packages" "path:$nixpkgs#lab-packages"
  local program
  for program in nixos-anywhere/bin/nixos-anywhere nixos-rebuild-ng/bin/nixos-rebuild \
    qemu/bin/qemu-img qemu/bin/qemu-system-x86_64; do
    ln -s "$final/roots/packages/$program" "$partial/lab/bin/"
  done

  progress "Putting the lab in place"
  local root
  ln -s "$debian" "$partial/lab/roots/debian"
  rm -rf "$final"
  mv "$partial/lab" "$final"
  use_lab "$final"
  # Roots are registered by the path they have from now on.
  for root in "$final"/inputs/* "$final"/roots/*; do
    nix-store --realise "$(readlink "$root")" --add-root "$root" >/dev/null
  done
  ln -s "$(basename "$final")" "$partial/link"
  mv -T "$partial/link" "$cache/lab"
  find "$cache" -maxdepth 1 -name 'lab-*' ! -name "$(basename "$final")" -exec rm -rf {} +
}

case ${1-} in
  --packages) packages && exit ;;
  --missing) missing_packages && exit ;;
  '' | -*) fail "$exit_usage" "usage: prepare.sh CACHE | --packages | --missing" ;;
esac

check_platform
check_nix
mkdir -p "$1/debs" || fail "$exit_disk" "Cannot make the cache directory $1."
cache=$(realpath "$1")
wanted=$(key)
final=$cache/lab-$wanted
is_ready "$wanted" && exit

# One at a time; the second finds the work done.
exec 9>"$cache/.preparing"
flock 9
is_ready "$wanted" && exit

check_disk "$cache" "$megabytes_cache"
check_disk /nix "$megabytes_store"
# In a process group of its own, so that an interruption ends all of it. A signal
# can come between the fork and the start of a program, which then runs on, and
# bash with it: so it is sent until nobody is left.
set -m
prepare &
worker=$!
set +m
interrupt() {
  while kill -TERM -- "-$worker" 2>/dev/null; do
    sleep 0.05
  done
  rm -rf "$cache"/partial-*
  exit 130
}
trap interrupt INT TERM
status=0
wait "$worker" || status=$?
trap - INT TERM
if ((status)); then
  # Whatever failed, a full disk is the reason to name.
  for dir in "$cache" "$(existing /nix)"; do
    (($(free_megabytes "$dir") > 20)) ||
      fail "$exit_disk" "The disk that holds $dir is full. Free some space and start again."
  done
  exit "$status"
fi
