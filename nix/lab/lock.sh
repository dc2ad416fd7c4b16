#!/usr/bin/env bash
# lock.sh CACHE WORKDIR: writes WORKDIR/flake.lock with the lab's nixpkgs, disko
# and srvos.
#
# Runs before each step and takes about 60 ms: Nix before 2.26 records the
# content of a `path:` input in the lock file and then ignores edits of it.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 2 ]] || fail "$exit_usage" "usage: lock.sh CACHE WORKDIR"
lab=$1/lab
workdir=$2
[[ -e $lab/nix.conf ]] ||
  fail "$exit_not_prepared" "No lab in $1. Run prepare.sh $1 first."
[[ -e $workdir/flake.nix ]] || fail "$exit_usage" "No flake.nix in $workdir."

while IFS= read -r line; do
  export "${line?}"
done < <(lab_environment "$(realpath "$lab/..")/lab")

overrides=()
for input in "$lab"/inputs/*; do
  overrides+=(--override-input "$(basename "$input")" "path:$(readlink "$input")")
done

# Nix reports each change of the lock file as a warning: show output only on failure.
if ! output=$(cd "$workdir" && nix flake lock "${overrides[@]}" --update-input spa 2>&1); then
  fail 1 "Cannot lock the flake in $workdir:" "$output"
fi
