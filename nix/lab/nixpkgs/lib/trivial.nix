# Functions on functions, on conditions, and on the evaluation itself.
lib:
let
  inherit (builtins) foldl' fromJSON readFile;
in
{
  inherit (builtins)
    add
    addErrorContext
    bitAnd
    bitOr
    bitXor
    deepSeq
    genericClosure
    isBool
    isFloat
    isInt
    isPath
    lessThan
    pathExists
    readFile
    seq
    sub
    trace
    tryEval
    ;

  # -- functions

  id = x: x;
  const = x: _: x;
  flip = f: a: b: f b a;
  pipe = foldl' (value: f: f value);

  /* `isFunction` and `functionArgs` also know the sets that can be called:
     those with `__functor`, like the result of `setFunctionArgs`.
  */
  isFunction = f: builtins.isFunction f || (f ? __functor && lib.isFunction (f.__functor f));
  functionArgs = f: if f ? __functor then f.__functionArgs or (lib.functionArgs (f.__functor f)) else builtins.functionArgs f;
  setFunctionArgs = f: args: {
    __functor = _: f;
    __functionArgs = args;
  };
  toFunction = f: if lib.isFunction f then f else _: f;

  # -- fixed points

  fix = f: let x = f x; in x;
  extends = overlay: f: final: let prev = f final; in prev // overlay final prev;
  composeExtensions =
    first: second: final: prev:
    let
      a = first final prev;
    in
    a // second final (prev // a);
  composeManyExtensions = lib.foldr lib.composeExtensions (_: _: { });
  makeExtensible =
    f:
    lib.fix (self: f self // { extend = overlay: lib.makeExtensible (lib.extends overlay f); });

  # -- numbers and booleans

  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  mod = a: b: a - b * (a / b);
  compare = a: b: if a < b then -1 else if a > b then 1 else 0;
  xor = a: b: a != b;
  boolToString = b: if b then "true" else "false";
  boolToYesNo = b: if b then "yes" else "no";

  # -- warnings and errors

  warn =
    builtins.warn
      or (message: builtins.trace "[1;35mevaluation warning: ${message}[0m");
  warnIf = condition: message: if condition then lib.warn message else lib.id;
  warnIfNot = condition: lib.warnIf (!condition);
  showWarnings = messages: value: lib.foldr lib.warn value messages;
  throwIf = condition: message: if condition then throw message else lib.id;
  throwIfNot = condition: lib.throwIf (!condition);
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: allowed:
    lib.assertMsg (builtins.elem value allowed)
      "${name} must be one of ${lib.generators.toPretty { } allowed}, but is: ${lib.generators.toPretty { } value}";

  # -- looking at values while they are evaluated

  traceVal = value: builtins.trace value value;
  traceValFn = f: value: builtins.trace (f value) value;
  traceSeq = shown: builtins.trace (builtins.deepSeq shown shown);
  traceValSeq = value: lib.traceSeq value value;
  traceIf = condition: message: if condition then builtins.trace message else lib.id;

  # -- files

  importJSON = path: fromJSON (readFile path);
  importTOML = path: builtins.fromTOML (readFile path);

  # -- what this library stands in for

  release = "26.05";
  version = "26.05-lab";
  inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";
}
