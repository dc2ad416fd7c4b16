# The lab's `lib`: the part of NixOS's library that the talk, its exercises and
# a curious learner reach for. Same names, same behaviour, far fewer functions.
#
# Each file below is a function from the finished library to one group of
# functions. What is in a group is `lib.strings.hasPrefix` and, unless it is
# listed in `onlyInGroup`, `lib.hasPrefix` too.
let
  groups = {
    trivial = ./trivial.nix;
    fixedPoints = ./fixed-points.nix;
    debug = ./debug.nix;
    asserts = ./asserts.nix;
    lists = ./lists.nix;
    attrsets = ./attrsets.nix;
    strings = ./strings.nix;
    filesystem = ./filesystem.nix;
    sources = ./sources.nix;
    customisation = ./customisation.nix;
    meta = ./meta.nix;
    generators = ./generators.nix;
    options = ./options.nix;
    types = ./types;
    modules = ./modules;
  };

  # Where NixOS has no short name, the lab has none: what works here works there.
  onlyInGroup = {
    attrsets = [ "unionOfDisjoint" ];
    filesystem = [ "listFilesRecursive" ];
    lists = [ "findFirstIndex" ];
    modules = [
      "defaultOrderPriority"
      "defaultOverridePriority"
      "importApply"
    ];
    options = [ "showDefs" ];
    strings = [
      "escapeNixIdentifier"
      "escapeNixString"
      "levenshtein"
    ];
    trivial = [ "release" ];
  };

  library =
    final:
    let
      loaded = builtins.mapAttrs (_: file: import file final) groups;
      short = builtins.mapAttrs (name: group: removeAttrs group (onlyInGroup.${name} or [ ])) (
        removeAttrs loaded [
          "generators"
          "types"
        ]
      );
    in
    builtins.foldl' (all: group: all // group) { } (builtins.attrValues short)
    // loaded
    // {
      inherit (loaded.types)
        isType
        setType
        mkOptionType
        isOptionType
        ;
      licenses = import ./licenses.nix;
      maintainers = { };
      teams = { };
      platforms = import ./platforms.nix;
      systems = {
        doubles = final.platforms;
        flakeExposed = final.platforms.all;
      };
    };

  # A library that can be extended: `lib.extend (final: prev: { … })`.
  extensible =
    make:
    let
      final = make final // {
        extend =
          overlay:
          extensible (
            self:
            let
              prev = make self;
            in
            prev // overlay self prev
          );
      };
    in
    final;
in
extensible library
