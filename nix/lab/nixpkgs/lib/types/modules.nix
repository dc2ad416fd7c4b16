# Types whose values are configurations or modules.
lib:
let
  inherit (builtins) head isAttrs;
  inherit (lib) showOption types;
  inherit (import ./option-type.nix lib)
    mkOptionType
    nounOr
    scalar
    structured
    ;

  isModule = value: isAttrs value || lib.isFunction value || types.path.check value;
in
{
  # -- configurations

  submodule =
    modules:
    types.submoduleWith {
      modules = lib.toList modules;
      shorthandOnlyDefinesConfig = true;
    };

  /* A set with options of its own. Every definition is a module. If
     `shorthandOnlyDefinesConfig` is true, a plain set is the module's `config`.
  */
  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? null,
      class ? null,
    }@args:
    let
      base = lib.evalModules {
        inherit class specialArgs;
        modules = [ { _module.args.name = lib.mkOptionDefault "‹name›"; } ] ++ modules;
      };
      # Only for descriptions: definitions without an option are not errors here.
      described = base.extendModules { modules = [ { _module.check = lib.mkForce false; } ]; };
      freeform = described._module.freeformType;
      asModule =
        def:
        if isAttrs def.value && shorthandOnlyDefinesConfig then
          {
            _file = def.file;
            config = def.value;
          }
        else
          {
            _file = def.file;
            imports = [ def.value ];
          };
    in
    mkOptionType {
      name = "submodule";
      description =
        if description != null then
          description
        else if freeform != null then
          "open submodule of ${nounOr "composite" freeform}"
        else
          "submodule";
      check = isModule;
      typeError = structured isModule;
      merge =
        loc: defs:
        (base.extendModules {
          prefix = loc;
          modules = [ { _module.args.name = lib.last loc; } ] ++ map asModule defs;
        }).config;
      emptyValue.value = base.config;
      getSubOptions = prefix: (described.extendModules { inherit prefix; }).options;
      getSubModules = modules;
      substSubModules = modules: types.submoduleWith (args // { inherit modules; });
      payload = { inherit args; };
      typeMerge =
        other:
        if other.name != "submodule" then
          null
        else
          types.submoduleWith (
            other.payload.args
            // lib.filterAttrs (_: arg: arg != null) args
            // {
              modules = other.payload.args.modules ++ modules;
              specialArgs = specialArgs // other.payload.args.specialArgs or { };
            }
          );
    };

  /* A module to import elsewhere. It is collected, but not evaluated. */
  deferredModule = types.deferredModuleWith { };
  deferredModuleWith =
    {
      staticModules ? [ ],
    }:
    mkOptionType {
      name = "deferredModule";
      description = "module";
      descriptionClass = "noun";
      check = isModule;
      merge = loc: defs: {
        imports =
          staticModules
          ++ map (
            def: lib.setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value
          ) defs;
      };
      getSubModules = staticModules;
      substSubModules = modules: types.deferredModuleWith { staticModules = modules; };
      payload = { inherit staticModules; };
      typeMerge =
        other:
        if other.name == "deferredModule" then
          types.deferredModuleWith {
            staticModules = staticModules ++ other.payload.staticModules;
          }
        else
          null;
    };

  /* The type of a type. */
  optionType = scalar "optionType" "optionType" types.isOptionType // {
    merge =
      loc: defs:
      lib.foldl' (
        merged: def:
        let
          next = merged.typeMerge def.value;
        in
        if next == null then lib.mergeOneOption loc defs else next
      ) (head defs).value (lib.drop 1 defs);
  };
}
