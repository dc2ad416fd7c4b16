# The lab's `lib`: the functions of nixpkgs' library that the talk, its tasks and
# a curious learner are likely to use. Same names and behavior, but far fewer
# functions.
#
# Each file below is a function from the complete library to one group of
# functions. Functions are available as, for example, `lib.strings.hasPrefix` and,
# unless `onlyInGroup` lists them, also as `lib.hasPrefix`.
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

  # Functions without a short name in nixpkgs do not have one in the lab either, so
  # that everything that works in the lab works with nixpkgs.
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

  # The library with `extend`: `lib.extend (final: prev: { … })`.
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
