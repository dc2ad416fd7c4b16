#!/usr/bin/env bash
# env.sh CACHE: prints the environment of a step's shell as KEY=value lines.
# CACHE is the directory that prepare.sh was given.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/common.sh"

[[ $# == 1 ]] || fail "$exit_usage" "usage: env.sh CACHE"
[[ -e $1/lab/nix.conf ]] ||
  fail "$exit_not_prepared" "There is no lab in $1: run prepare.sh $1 first."
lab_environment "$(realpath "$1")/lab"
