# Functions on functions, numbers, conditions and files, and warnings.
lib:
let
  inherit (builtins) foldl' fromJSON readFile;
in
{
  inherit (builtins)
    add
    addErrorContext
    baseNameOf
    bitAnd
    bitOr
    bitXor
    ceil
    deepSeq
    dirOf
    div
    floor
    genericClosure
    getContext
    hasContext
    hashFile
    isBool
    isFloat
    isInt
    isPath
    lessThan
    mul
    pathExists
    placeholder
    readDir
    readFile
    seq
    sub
    toFile
    trace
    tryEval
    typeOf
    unsafeGetAttrPos
    ;

  # -- functions

  id = x: x;
  const = x: _: x;
  flip =
    f: a: b:
    f b a;
  pipe = foldl' (value: f: f value);
  mapNullable = f: x: if x == null then null else f x;
  defaultTo = default: x: if x == null then default else x;

  /* These three functions also accept callable sets: sets with `__functor`, for
     example from `setFunctionArgs`.
  */
  isFunction = f: builtins.isFunction f || (f ? __functor && lib.isFunction (f.__functor f));
  functionArgs =
    f:
    if f ? __functor then
      f.__functionArgs or (lib.functionArgs (f.__functor f))
    else
      builtins.functionArgs f;
  setFunctionArgs = f: args: {
    __functor = _: f;
    __functionArgs = args;
  };
  toFunction = x: if lib.isFunction x then x else _: x;

  # -- numbers and booleans

  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  mod = a: b: a - b * (a / b);
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  xor = a: b: a != b;
  boolToString = b: if b then "true" else "false";
  boolToYesNo = b: if b then "yes" else "no";
  toHexString =
    n:
    let
      digit = builtins.substring (lib.mod n 16) 1 "0123456789ABCDEF";
    in
    if n < 16 then digit else lib.toHexString (n / 16) + digit;

  # -- operators as functions

  concat = a: b: a ++ b;
  mergeAttrs = a: b: a // b;

  # -- warnings and errors

  warn =
    let
      heading = builtins.fromJSON ''"\u001b[1;35mevaluation warning:\u001b[0m"'';
    in
    builtins.warn or (message: builtins.trace "${heading} ${message}");
  warnIf = condition: message: if condition then lib.warn message else lib.id;
  warnIfNot = condition: lib.warnIf (!condition);
  showWarnings = messages: value: lib.foldr lib.warn value messages;
  info = message: builtins.trace "INFO: ${message}";
  throwIf = condition: message: if condition then throw message else lib.id;
  throwIfNot = condition: lib.throwIf (!condition);

  # -- files

  importJSON = path: fromJSON (readFile path);
  importTOML = path: builtins.fromTOML (readFile path);

  # -- the NixOS release that the lab imitates

  release = "26.05";
  version = "26.05-lab";
  inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";
}
