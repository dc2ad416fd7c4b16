# The module system: evaluates many modules to one configuration.
#
# The stages:
#   read.nix   converts each module, a path, function or set, and everything it
#              imports to { file, key, imports, options, config, … }
#   match.nix  walks the `options` and `config` of all modules name by name, and
#              finds the option of each definition
#   merge.nix  merges the definitions of one option to one value
# Evaluation is lazy, so modules can use the `config` that they define.
lib:
let
  inherit (builtins) addErrorContext head removeAttrs;
  inherit (lib) mkOption types;

  messages = import ./messages.nix lib;
  properties = import ./properties.nix lib;
  inherit (import ./read.nix lib) readAll setDefaultModuleLocation importApply;
  inherit (import ./match.nix lib) matchAll;
  inherit (import ./merge.nix lib) mergeDefinitions;

  /* Evaluates `modules`. `specialArgs` are arguments that modules can use in
     their `imports`. `prefix` is the path of the options in a larger tree.
     `class` is the required `_class` of the modules.
     Returns { config, options, extendModules, type, class, _module }.
  */
  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
    }@args:
    let
      # Options of the module system itself.
      evaluation = {
        _file = "lib/modules.nix";
        key = "lib/modules.nix";
        options._module = {
          args = mkOption {
            type = types.lazyAttrsOf types.raw;
            description = "Additional arguments passed to each module.";
          };
          check = mkOption {
            type = types.bool;
            default = true;
            internal = true;
            description = "Whether definitions without an option are errors.";
          };
          freeformType = mkOption {
            type = types.nullOr types.optionType;
            default = null;
            internal = true;
            description = "The type of definitions without an option. If null, they are not allowed.";
          };
          specialArgs = mkOption {
            type = types.raw;
            readOnly = true;
            internal = true;
            description = "Module arguments that `imports` can use.";
          };
        };
        config._module = {
          args = {
            inherit extendModules;
            moduleType = type;
          };
          inherit specialArgs;
        };
      };

      moduleArgs = {
        inherit lib options specialArgs;
        # In case of an infinite recursion, Nix prints this hint.
        config = addErrorContext "if you get an infinite recursion here, you probably reference `config` in `imports`. If you are trying to achieve a conditional import behavior dependent on `config`, consider importing unconditionally, and using `mkEnableOption` and `mkIf` to control its effect." config;
        _class = class;
        _prefix = prefix;
      }
      // specialArgs;

      tree = matchAll prefix (readAll class moduleArgs (modules ++ [ evaluation ]));
      inherit (tree) options;

      declared = lib.mapAttrsRecursiveCond (node: !lib.isOption node) (
        _: option: option.value
      ) options;

      # Definitions without an option, if there is a freeform type. Their paths are
      # never paths of options, so the merge below never drops a value.
      inherit (declared._module) freeformType;
      freeform = freeformType.merge prefix (
        map (def: {
          inherit (def) file;
          value = lib.setAttrByPath def.path def.value;
        }) tree.unmatched
      );
      config =
        if freeformType == null || tree.unmatched == [ ] then
          declared
        else
          lib.recursiveUpdate freeform declared;

      checked =
        value:
        if config._module.check && freeformType == null && tree.unmatched != [ ] then
          throw (messages.unknownOption prefix options (head tree.unmatched))
        else
          value;

      /* The same evaluation with additional modules. */
      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? args.prefix or [ ],
        }:
        evalModules (
          args
          // {
            modules = args.modules ++ modules;
            specialArgs = args.specialArgs or { } // specialArgs;
            inherit prefix;
          }
        );

      /* The type of options whose value is such a configuration. */
      type = types.submoduleWith { inherit modules specialArgs class; };
    in
    {
      _type = "configuration";
      inherit class extendModules type;
      options = checked options;
      config = checked (removeAttrs config [ "_module" ]);
      _module = checked config._module;
    };
in
{
  inherit
    evalModules
    mergeDefinitions
    setDefaultModuleLocation
    importApply
    ;
  inherit (properties)
    mkIf
    mkMerge
    mkAssert
    mkOverride
    mkOptionDefault
    mkDefault
    mkImageMediaOverride
    mkForce
    mkVMOverride
    defaultOverridePriority
    mkOrder
    mkBefore
    mkAfter
    defaultOrderPriority
    mkAliasDefinitions
    mkAliasAndWrapDefinitions
    mkDerivedConfig
    ;
}
// import ./renames.nix lib
