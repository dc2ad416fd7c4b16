# Modules for options that were renamed or removed.
lib:
let
  inherit (lib)
    getAttrFromPath
    mkOption
    optional
    optionalAttrs
    setAttrByPath
    showFiles
    showOption
    ;
  inherit (import ./properties.nix lib) mkIf mkMerge mkOverride;

  /* A module with the option `from`: passes its definitions and their priority to
     the option `to`, and has the value of `to`.
  */
  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      condition ? true,
      ...
    }:
    { config, options, ... }:
    let
      source = getAttrFromPath from options;
      missing = abort "Renaming error: option `${showOption to}' does not exist.";
      definitions = map (mkOverride source.highestPrio) source.definitions;
    in
    {
      options = setAttrByPath from (mkOption {
        inherit visible;
        description = "Alias of {option}`${showOption to}`.";
        type = (lib.attrByPath to { } options).type or (lib.types.submodule { });
        apply = _: use (lib.attrByPath to missing config);
      });
      config = mkIf condition (mkMerge [
        (optionalAttrs (options ? warnings) {
          warnings = optional (warn && source.isDefined) "The option `${showOption from}' defined in ${showFiles source.files} has been renamed to `${showOption to}'.";
        })
        (mkIf source.isDefined (setAttrByPath to (mkMerge definitions)))
      ]);
    };

  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };
in
{
  inherit doRename mkRenamedOptionModule;
  mkRenamedOptionModuleWith = { from, to, ... }: mkRenamedOptionModule from to;

  /* Like `mkRenamedOptionModule`, but without a warning. */
  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = lib.id;
    };

  /* An option that causes an error when it is used. `replacement` says what to do instead. */
  mkRemovedOptionModule =
    path: replacement:
    { options, ... }:
    let
      option = getAttrFromPath path options;
    in
    {
      options = setAttrByPath path (mkOption {
        visible = false;
        apply =
          _:
          throw "The option `${showOption path}' can no longer be used since it's been removed. ${replacement}";
      });
      config.assertions = [
        {
          assertion = !option.isDefined;
          message = ''
            The option definition `${showOption path}' in ${showFiles option.files} no longer has any effect; please remove it.
            ${replacement}
          '';
        }
      ];
    };
}
