# Packages that people look for first and that the lab does not have: an answer
# instead of "attribute missing".
lib:
lib.genAttrs
  [
    "awscli2"
    "cowsay"
    "dockerTools"
    "git"
    "hcloud"
    "hello"
    "htop"
    "jq"
    "nano"
    "neovim"
    "nix"
    "nixos-anywhere"
    "nixos-rebuild"
    "nodejs"
    "openssh"
    "tmux"
    "vim"
    "wget"
  ]
  (
    name:
    throw ''
      The offline lab has no package `${name}'. It has some twenty, made from
      Debian's: see docs/lab.md. On a connected machine the talk uses nixpkgs.
    ''
  )
