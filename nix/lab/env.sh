#!/usr/bin/env bash
# env.sh CACHE: prints the environment for the shells of steps as KEY=value
# lines. CACHE is the directory passed to prepare.sh.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 1 ]] || fail "$exit_usage" "usage: env.sh CACHE"
[[ -e $1/lab/nix.conf ]] ||
  fail "$exit_not_prepared" "No lab in $1. Run prepare.sh $1 first."
lab_environment "$(realpath "$1")/lab"
