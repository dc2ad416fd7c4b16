# Packages that people look for first and that the lab does not have: an answer
# instead of "attribute missing".
{ lib, writeShellScriptBin }:
let
  sorry = name: ''
    The offline lab has no package `${name}'. It has some twenty, made from
    Debian's: see docs/lab.md. On a connected machine the talk uses nixpkgs.
  '';

  # These stand in the talk's own flake, so they have to be there: they say it
  # when they are run.
  apologetic =
    name:
    lib.makeOverridable (
      _:
      writeShellScriptBin name ''
        printf %s ${lib.escapeShellArg (sorry name)} >&2
        exit 1
      ''
    ) { };
in
lib.genAttrs [
  "hcloud"
  "nixfmt-tree"
] apologetic
// lib.genAttrs
  [
    "awscli2"
    "cowsay"
    "git"
    "hello"
    "htop"
    "jq"
    "nano"
    "neovim"
    "nix"
    "nodejs"
    "openssh"
    "tmux"
    "vim"
    "wget"
  ]
  (name: throw (sorry name))
