# Finds the option of each definition.
lib:
let
  inherit (builtins)
    attrNames
    concatLists
    concatMap
    filter
    isAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  inherit (import ./merge.nix lib) evalOption mergeDeclarations;
  inherit (import ./properties.nix lib) pushDown;
  messages = import ./messages.nix lib;

  # Converts a list of sets to a set of lists.
  together = zipAttrsWith (_: values: values);

  pushDownDefs = concatMap (def: map (value: def // { inherit value; }) (pushDown def.value));

  # Processes one level of the tree: the declarations [ { file, options } ] and the
  # definitions [ { file, value } ] below `loc`. Returns
  #   options    the tree of evaluated options
  #   unmatched  [ { file, path, value } ], the definitions without an option
  match =
    loc: decls: defs:
    let
      declsByName = together (
        map (
          decl:
          if isAttrs decl.options then
            mapAttrs (name: options: {
              inherit (decl) file;
              inherit options;
              position = builtins.unsafeGetAttrPos name decl.options;
            }) decl.options
          else
            throw (messages.declarationNotASet loc decl)
        ) decls
      );
      defsByName = together (
        map (
          def:
          if isAttrs def.value then
            mapAttrs (_: value: {
              inherit (def) file;
              inherit value;
            }) def.value
          else
            throw (messages.definitionNotASet loc def)
        ) defs
      );

      results = mapAttrs (
        name: found: matchName (loc ++ [ name ]) found (defsByName.${name} or [ ])
      ) declsByName;
      unmatched =
        mapAttrs (_: result: result.unmatched) results
        // removeAttrs defsByName (attrNames declsByName);
    in
    {
      options = mapAttrs (_: result: result.options) results;
      unmatched =
        if defs == [ ] then
          [ ]
        else
          concatLists (
            lib.mapAttrsToList (
              name: map (def: def // { path = [ name ] ++ def.path or [ ]; })
            ) unmatched
          );
    };

  # Processes one name in the tree: an option, or a set of options.
  matchName =
    loc: decls: defs:
    let
      tagged = filter (decl: decl.options ? _type) decls;
      options = map (
        decl:
        if lib.isOption decl.options then decl else throw (messages.notAnOption loc decl)
      ) tagged;
      sets = filter (decl: !(decl.options ? _type)) decls;
      evaluate = found: {
        options = evalOption loc (mergeDeclarations loc found) defs;
        unmatched = [ ];
      };

      # Options declared inside a submodule option become another module of it.
      asSubmodule =
        decl:
        if lib.isOption decl.options then
          decl
        else
          decl
          // {
            options = lib.mkOption {
              type = lib.types.submoduleWith {
                modules = [ { inherit (decl) options; } ];
                shorthandOnlyDefinesConfig = null;
              };
            };
          };
    in
    if options == [ ] then
      match loc decls (pushDownDefs defs)
    else if sets == [ ] then
      evaluate options
    else if lib.all (decl: decl.options.type.name or null == "submodule") options then
      evaluate (map asSubmodule decls)
    else
      throw (messages.optionWithOptionsInside loc (builtins.head options) sets);
in
{
  # Matches modules, as returned by read.nix, below the path `prefix`.
  matchAll =
    prefix: modules:
    match prefix
      (map (module: { inherit (module) file options; }) modules)
      (
        pushDownDefs (
          map (module: {
            inherit (module) file;
            value = module.config;
          }) modules
        )
      );
}
