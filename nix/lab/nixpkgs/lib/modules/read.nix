# Converts modules from all forms in which they can be written to
#   file             the file of the module, for messages
#   key              identifies the module: modules with the same key are imported once
#   imports          the modules that it imports
#   disabledModules  the modules that it disables
#   options, config  its declarations and definitions
lib:
let
  inherit (builtins)
    addErrorContext
    attrNames
    concatMap
    elem
    filter
    head
    isAttrs
    isList
    isString
    mapAttrs
    removeAttrs
    ;
  inherit (import ./properties.nix lib) mkMerge;
  messages = import ./messages.nix lib;

  # All modules and their imports, each key once, imported modules first.
  readAll =
    class: args: modules:
    let
      node =
        parent: n: written:
        let
          module = readOne class args {
            inherit (parent) file;
            key = "${parent.key}:anon-${toString n}";
          } written;
        in
        {
          inherit (module) key;
          inherit module;
        };
      imported = parent: lib.imap1 (node parent) parent.imports;
      roots = imported {
        file = lib.unknownModule;
        key = "";
        imports = modules;
      };
      closure =
        wanted:
        builtins.genericClosure {
          startSet = filter wanted roots;
          operator = found: filter wanted (imported found.module);
        };

      all = closure (_: true);
      disabled = concatMap (
        { module, ... }: map (disabledKey args module.file) module.disabledModules
      ) all;
      enabled = if disabled == [ ] then all else closure (found: !elem found.key disabled);
    in
    map (found: found.module) (lib.reverseList enabled);

  # The key of a disabled module. A relative string is relative to the modules of
  # NixOS.
  disabledKey =
    args: file: module:
    if isString module && !lib.hasPrefix "/" module then
      "${toString args.modulesPath or ""}/${module}"
    else if lib.isStringLike module then
      toString module
    else
      module.key or (throw (messages.disabledWithoutKey file));

  readOne =
    class: args: fallback: written:
    if lib.isFunction written then
      fullForm class fallback (call args fallback.key written)
    else if isAttrs written then
      if elem (written._type or null) [ "if" "override" ] then
        fullForm class fallback { config = written; }
      else if (written._type or "module") != "module" then
        throw (messages.notAModule class args._prefix fallback.file written._type)
      else
        fullForm class fallback written
    else if isList written then
      throw (messages.nestedImports fallback.file written)
    else
      let
        file = toString written;
        contents = import written;
      in
      fullForm class {
        inherit file;
        key = file;
      } (if lib.isFunction contents then call args file contents else contents);

  # Calls a module with the arguments it names. Names that are not in `args` come
  # from `_module.args`, and are evaluated only if the module uses them.
  call =
    args: key: module:
    let
      argument =
        name: _:
        addErrorContext "while evaluating the module argument `${name}' in \"${key}\":" (
          args.${name} or (addErrorContext
            "noting that argument `${name}` is not externally provided, so querying `_module.args` instead, requiring `config`"
            args.config._module.args.${name}
          )
        );
    in
    module (args // mapAttrs argument (lib.functionArgs module));

  # A module has `options` and `config`, or, in the short form, only its config.
  fullForm =
    class: fallback: written:
    let
      file = toString (written._file or fallback.file);
      key = toString (written.key or fallback.key);
      about = [
        "_class"
        "_file"
        "key"
        "disabledModules"
        "imports"
        "freeformType"
      ];
      explicit = written ? config || written ? options;
      stray = attrNames (
        removeAttrs written (
          about
          ++ [
            "options"
            "config"
            "meta"
          ]
        )
      );
      configs =
        (
          if explicit then
            [ (written.config or { }) ] ++ lib.optional (written ? meta) { inherit (written) meta; }
          else
            [ (removeAttrs written (about ++ [ "require" ])) ]
        )
        ++ lib.optional (written ? freeformType) { _module = { inherit (written) freeformType; }; };
    in
    if !isAttrs written then
      throw "module ${fallback.file} (${fallback.key}) does not look like a module."
    else if explicit && stray != [ ] then
      throw (messages.strayAttributes key stray)
    else if class != null && (written._class or class) != class then
      throw (messages.wrongClass file written._class class)
    else
      {
        inherit file key;
        disabledModules = written.disabledModules or [ ];
        imports = (if explicit then [ ] else written.require or [ ]) ++ written.imports or [ ];
        options = written.options or { };
        config = if builtins.length configs == 1 then head configs else mkMerge configs;
      };

  # Sets the file of a module, unless the module sets it itself.
  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };
in
{
  inherit readAll setDefaultModuleLocation;

  # Imports a module from a file with a function that returns the module.
  importApply = file: argument: setDefaultModuleLocation file (import file argument);
}
