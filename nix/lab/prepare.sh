#!/usr/bin/env bash
# prepare.sh CACHE       prepares the offline lab in CACHE, unless it is up to date
# prepare.sh --packages  prints the apt packages that this script needs
# prepare.sh --missing   prints the packages among them that are not installed
#
# Prints progress to stdout as "[step/steps] description" and errors to stderr.
# The lab is built in a temporary directory that replaces an older lab only when
# it is complete, so an interrupted run leaves no incomplete lab behind.
#
#   CACHE/debs             downloaded Debian packages, kept for later runs
#   CACHE/lab              link to the current lab:
#     nix.conf             Nix configuration, replaces the user's
#     bin                  programs for the steps: nixos-anywhere, nixos-rebuild, qemu
#     inputs/<input>       links to the flakes that replace the real inputs
#     roots                garbage collector roots for everything in the lab
#
# common.sh lists the exit statuses.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/common.sh"

steps=5
megabytes_cache=500 # downloads, and temporarily the unpacked packages
megabytes_store=800 # unpacked packages, and the Nix packages made from them

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
    fail "$exit_platform" "The lab needs Linux on x86_64. This machine is $(uname -sm)."
  [[ $(type -t apt-get) && $(type -t dpkg-deb) ]] ||
    fail "$exit_platform" "The lab is built from Debian packages and needs Debian or Ubuntu."
}

check_nix() {
  [[ $(type -t nix) && $(type -t git) ]] ||
    fail "$exit_packages" "Missing programs. Install them: apt-get install $(missing_packages | paste -sd' ')"
  [[ $(store_access) ]] || fail "$exit_store" \
    "The user $(id -un) cannot write to the Nix store. Run this as root, or install the" \
    "Nix daemon (apt-get install nix-setup-systemd), join its group" \
    "(adduser $(id -un) nix-users) and log in again."
}

free_megabytes() { # directory
  df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9
}

# Prints the directory, or its nearest parent that exists.
existing() { # directory
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
    "Free some space, or set UNDERSTUDY_CACHE to a directory on another disk."
}

# Prints a hash of all files that the lab is built from. A lab is up to date if
# this hash is the same and its store paths exist. Newer packages in apt do not
# matter: a working lab must never need the network again.
sources_hash() {
  sources . | sort -z | (cd "$lab_source" && xargs -0 sha256sum) | sha256sum | cut -c1-16
}

# Prints the files below a directory of nix/lab that the lab is built from:
# everything except the tests and their fixtures.
sources() { # directory
  (cd "$lab_source" && find "$1" -name fixtures -prune -o -type f ! -name '*.ts' -print0)
}

copy_sources() { # directory, target
  sources "$1" | tar -C "$lab_source" --null --files-from=- -c | tar -C "$2" -x
}

is_ready() { # hash of the sources
  [[ -e $cache/lab/nix.conf && $(readlink "$cache/lab") == "lab-$1" ]] || return 1
  local link
  for link in "$cache"/lab/inputs/* "$cache"/lab/roots/*; do
    [[ -e $link ]] || return 1
  done
}

step=0
progress() { # description
  step=$((step + 1))
  echo "[$step/$steps] $1"
}

# Prints the store path.
add_to_store() { # directory
  nix store add-path --name source "$1"
}

write_nix_conf() { # file
  {
    echo "# The lab's Nix configuration. Replaces the user's own."
    echo "experimental-features = nix-command flakes"
    echo "warn-dirty = false"
    echo "substituters ="
    echo "flake-registry = $final/registry.json"
    if [[ $(store_access) == direct ]]; then
      echo "max-jobs = auto"
      # No build users: Debian's nix-bin does not create any.
      echo "build-users-group ="
      # Containers, for example in CI, often cannot create the namespaces of a
      # sandbox. Builds use only the lab's packages even without one.
      echo "sandbox = false"
    fi
  } >"$1"
}

# Makes the following commands use the lab.
use_lab() { # directory of the lab
  local line
  while IFS= read -r line; do
    export "${line?}"
  done < <(lab_environment "$1")
}

prepare() {
  # Left behind by killed runs.
  rm -rf "$cache"/partial-*
  partial=$(mktemp -d "$cache/partial-XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  mkdir "$partial/lab" "$partial"/lab/{bin,inputs,roots}
  write_nix_conf "$partial/lab/nix.conf"
  use_lab "$partial/lab"

  progress "Collecting Debian packages"
  "$lab_source/collect.sh" "$cache/debs" "$partial/debian"

  progress "Adding the packages to the Nix store"
  local debian nar_hash
  debian=$(add_to_store "$partial/debian")
  nar_hash=$(nix hash path "$debian")
  rm -rf "$partial/debian"

  progress "Adding the replacements for nixpkgs, disko and srvos"
  local nixpkgs
  copy_sources nixpkgs "$partial"
  cat >"$partial/nixpkgs/debian.nix" <<END
# The Debian packages that collect.sh unpacked on this machine.
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

  progress "Activating the lab"
  local root
  ln -s "$debian" "$partial/lab/roots/debian"
  rm -rf "$final"
  mv "$partial/lab" "$final"
  use_lab "$final"
  # Register the roots only now, with their final paths.
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
mkdir -p "$1/debs" || fail "$exit_disk" "Cannot create the cache directory $1."
cache=$(realpath "$1")
hash=$(sources_hash)
final=$cache/lab-$hash
is_ready "$hash" && exit

# One run at a time. A second one waits, and then finds the lab ready.
exec 9>"$cache/.preparing"
flock 9
is_ready "$hash" && exit

check_disk "$cache" "$megabytes_cache"
check_disk /nix "$megabytes_store"
# Runs in a separate process group, so that an interruption stops all of it. A
# signal that arrives between fork and exec of a program is lost, so send it
# until the group is empty.
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
  # If a disk is full, report that as the reason, whatever failed.
  for dir in "$cache" "$(existing /nix)"; do
    (($(free_megabytes "$dir") > 20)) ||
      fail "$exit_disk" "The disk of $dir is full. Free some space and try again."
  done
  exit "$status"
fi
