# Popular packages that the lab does not have. Using one gives an explanation
# instead of the error "attribute missing".
{ lib, writeShellScriptBin }:
let
  explanation = name: ''
    The offline lab does not have the package `${name}'. It has about twenty
    packages, built from Debian's: see docs/lab.md. With a network connection,
    use the profile nixos, which has all of nixpkgs.
  '';

  # The talk's flake uses these packages, so they must evaluate and build. They
  # print the explanation when they run.
  placeholder =
    name:
    lib.makeOverridable (
      _:
      writeShellScriptBin name ''
        printf %s ${lib.escapeShellArg (explanation name)} >&2
        exit 1
      ''
    ) { };
in
lib.genAttrs [
  "hcloud"
  "nixfmt-tree"
] placeholder
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
  (name: throw (explanation name))
