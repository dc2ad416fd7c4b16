# The properties of definitions: mkIf (a condition), mkOverride (a priority),
# mkOrder (a position) and mkMerge (several definitions). Each is a set with
# `_type` that wraps a value.
lib:
let
  inherit (builtins)
    concatMap
    filter
    isAttrs
    mapAttrs
    ;

  is = type: value: isAttrs value && value._type or null == type;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };

  # The definitions with the smallest number take precedence.
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  defaultOverridePriority = 100;

  # When definitions are concatenated, those with smaller numbers come first.
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  defaultOrderPriority = 1000;

  # Moves properties of a set to each of its values: returns [ set ]. So the names
  # are known before a condition is evaluated, and a condition can depend on the
  # options that the set defines.
  pushDown =
    value:
    let
      each =
        wrap:
        map (inner: if isAttrs inner then mapAttrs (_: wrap) inner else inner) (
          pushDown value.content
        );
    in
    if is "merge" value then
      concatMap pushDown value.contents
    else if is "if" value then
      each (mkIf value.condition)
    else if is "override" value then
      each (mkOverride value.priority)
    else
      [ value ];

  # The values of a definition whose conditions are true: none, one or many.
  discharge =
    value:
    if is "merge" value then
      concatMap discharge value.contents
    else if is "if" value then
      if !builtins.isBool value.condition then
        throw "‘mkIf’ called with a non-Boolean condition"
      else if value.condition then
        discharge value.content
      else
        [ ]
    else
      [ value ];

  # The definitions in [ { file, value } ] with the highest priority, unwrapped.
  # Returns { priority, defs }.
  strongest =
    defs:
    let
      priorityOf =
        def: if is "override" def.value then def.value.priority else defaultOverridePriority;
      priority = lib.foldl' (least: def: lib.min least (priorityOf def)) 9999 defs;
      unwrap =
        def: if is "override" def.value then def // { value = def.value.content; } else def;
    in
    {
      inherit priority;
      defs = map unwrap (filter (def: priorityOf def == priority) defs);
    };

  # Sorts [ { file, value } ] by mkOrder and unwraps the values.
  ordered =
    defs:
    let
      placeOf = def: if is "order" def.value then def.value.priority else defaultOrderPriority;
      unwrap =
        def: if is "order" def.value then def // { value = def.value.content; } else def;
    in
    if lib.any (def: is "order" def.value) defs then
      map unwrap (builtins.sort (a: b: placeOf a < placeOf b) defs)
    else
      defs;
in
{
  inherit
    mkIf
    mkMerge
    mkOverride
    defaultOverridePriority
    mkOrder
    defaultOrderPriority
    pushDown
    discharge
    strongest
    ordered
    ;

  mkAssert =
    assertion: message:
    mkIf (lib.throwIfNot assertion "\nFailed assertion: ${message}" true);

  # For defaults of options, defaults that modules set, image profiles, values that
  # users enforce, and settings that virtual machines require.
  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;

  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  # Reuses the definitions of one option for another one.
  mkAliasDefinitions = option: mkIf option.isDefined (mkMerge option.definitions);
  mkAliasAndWrapDefinitions =
    wrap: option: mkIf option.isDefined (wrap (mkMerge option.definitions));
  mkDerivedConfig =
    option: f: mkOverride (option.highestPrio or defaultOverridePriority) (f option.value);
}
