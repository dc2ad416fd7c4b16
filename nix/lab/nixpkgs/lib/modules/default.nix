# The module system: many modules in, one configuration out.
#
# The way of a module:
#   read     a path, function or set becomes { file, key, imports, options,
#            config, … }, and so does everything it imports     read.nix
#   match    the `options` and `config` of all modules are walked side by side,
#            name by name, so that definitions meet their option  match.nix
#   merge    the definitions of one option become one value       merge.nix
# Everything is lazy: `config` is an argument of the very modules it is made of.
lib:
let
  inherit (builtins) addErrorContext head removeAttrs;
  inherit (lib) mkOption types;

  messages = import ./messages.nix lib;
  properties = import ./properties.nix lib;
  inherit (import ./read.nix lib) readAll setDefaultModuleLocation importApply;
  inherit (import ./match.nix lib) matchAll;
  inherit (import ./merge.nix lib) mergeDefinitions;

  /* Evaluates `modules`. `specialArgs` are arguments that modules may use in
     their `imports`; `prefix` is the place of the options in a bigger tree;
     `class` is what the `_class` of the modules has to be.
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
      # The options of the evaluation itself.
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
            description = "Whether a definition without an option is an error.";
          };
          freeformType = mkOption {
            type = types.nullOr types.optionType;
            default = null;
            internal = true;
            description = "How definitions without an option merge, where they are allowed.";
          };
          specialArgs = mkOption {
            type = types.raw;
            readOnly = true;
            internal = true;
            description = "Arguments that modules can use in `imports`.";
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
        # Nix shows this line where the recursion ends, so the hint stands here.
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

      # Definitions without an option, where a freeform type takes them. Their
      # paths are never those of options, so neither side hides the other.
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

      /* The same evaluation with more modules. */
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

      /* The type of an option whose value is such a configuration. */
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
