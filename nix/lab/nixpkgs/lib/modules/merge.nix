# Merges the declarations and the definitions of one option.
lib:
let
  inherit (builtins)
    addErrorContext
    concatMap
    foldl'
    head
    length
    ;
  inherit (lib) showOption;
  inherit (import ./properties.nix lib)
    discharge
    mkOptionDefault
    ordered
    strongest
    ;
  inherit (import ./read.nix lib) setDefaultModuleLocation;
  messages = import ./messages.nix lib;

  # Merges the declarations [ { file, options, position } ] of one option. Only
  # their types may overlap, and only if the types can be merged.
  mergeDeclarations =
    loc: decls:
    foldl'
      (
        merged: decl:
        let
          option = decl.options;
          both = field: merged ? ${field} && option ? ${field};
          type = withLocation decl.file option.type;
          mergedType = if both "type" then merged.type.typeMerge type else type;
          fields = [
            "default"
            "example"
            "description"
            "apply"
          ];
        in
        if lib.any both fields || (both "type" && mergedType == null) then
          throw (messages.declaredTwice loc decl.file merged.declarations)
        else
          option
          // merged
          // {
            declarations = merged.declarations ++ [ decl.file ];
            declarationPositions = merged.declarationPositions ++ [
              (
                if decl.position != null then
                  decl.position
                else
                  {
                    inherit (decl) file;
                    line = null;
                    column = null;
                  }
              )
            ];
          }
          // lib.optionalAttrs (option ? type) { type = mergedType; }
      )
      {
        inherit loc;
        declarations = [ ];
        declarationPositions = [ ];
      }
      decls;

  # A type whose submodules know the file of their declaration.
  withLocation =
    file: type:
    if type.getSubModules or null == null then
      type
    else
      type.substSubModules (map (setDefaultModuleLocation file) type.getSubModules);

  # Evaluates an option: adds its value to its declaration.
  evalOption =
    loc: declared: defs:
    let
      type = declared.type or lib.types.unspecified;
      all =
        lib.optional (declared ? default) {
          file = head declared.declarations;
          value = mkOptionDefault declared.default;
        }
        ++ defs;
      merged =
        if declared.readOnly or false && length all > 1 then
          throw (
            messages.readOnly loc (
              map (def: def // { value = (mergeDefinitions loc type [ def ]).mergedValue; }) all
            )
          )
        else
          mergeDefinitions loc type all;
    in
    declared
    // {
      inherit type;
      value = addErrorContext "while evaluating the option `${showOption loc}':" (
        (declared.apply or lib.id) merged.mergedValue
      );
      inherit (merged) isDefined;
      highestPrio = merged.priority;
      definitions = lib.getValues merged.defs;
      definitionsWithLocations = merged.defs;
      files = lib.getFiles merged.defs;
      __toString = _: showOption loc;
    };

  /* Merges the definitions [ { file, value } ] of one option, or of one part of
     its value, according to `type`. Returns
       defs           the definitions with a true condition and the highest priority
       priority       their priority
       isDefined      whether there are any
       mergedValue    their merged value
       optionalValue  { value = mergedValue; }, or { } if nothing is defined
  */
  mergeDefinitions =
    loc: type: given:
    let
      enabled = concatMap (
        def:
        map (value: def // { inherit value; }) (
          addErrorContext "while evaluating definitions from `${def.file}':" (discharge def.value)
        )
      ) given;
      inherit (strongest enabled) priority defs;
      counting = ordered defs;
      isDefined = counting != [ ];
      typeError = lib.types.typeErrorOf type loc counting;
      mergedValue =
        if isDefined then
          if typeError == null then
            type.merge loc counting
          else
            throw (messages.wrongType loc type typeError)
        else
          type.emptyValue.value or (throw (messages.noValue loc));
    in
    {
      defs = counting;
      inherit priority isDefined mergedValue;
      optionalValue = lib.optionalAttrs isDefined { value = mergedValue; };
    };
in
{
  inherit mergeDeclarations evalOption mergeDefinitions;
}
