# The lab's `lib`: the part of NixOS's library that the talk, its exercises and
# a curious learner reach for. Same names, same behaviour, far fewer functions.
#
# Every file below is a function from the finished library to one group of
# functions. A group is there under its own name (`lib.strings`), and most
# groups' functions are there directly as well (`lib.hasPrefix`).
let
  groups = {
    trivial = ./trivial.nix;
    lists = ./lists.nix;
    attrsets = ./attrsets.nix;
    strings = ./strings.nix;
    generators = ./generators.nix;
    packages = ./packages.nix;
    options = ./options.nix;
    types = ./types.nix;
    modules = ./modules;
  };

  # Functions of these groups are reached through the group only.
  groupOnly = [
    "types"
    "generators"
  ];

  library =
    final:
    let
      loaded = builtins.mapAttrs (_: file: import file final) groups;
      direct = builtins.attrValues (removeAttrs loaded groupOnly);
    in
    builtins.foldl' (all: group: all // group) { } direct
    // loaded
    // {
      inherit (loaded.types) isType setType mkOptionType isOptionType;
    };

  # A library that can be extended again: `lib.extend (final: prev: { … })`.
  extensible =
    make:
    let
      final = make final // {
        extend = overlay: extensible (self: let prev = make self; in prev // overlay self prev);
      };
    in
    final;
in
extensible library
