# Functions on strings.
lib:
let
  inherit (builtins)
    concatStringsSep
    filter
    isString
    match
    replaceStrings
    split
    stringLength
    substring
    ;

  lowerLetters = lib.stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperLetters = lib.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  blank = "[ \t\r\n]*";

  keywords = [
    "assert"
    "else"
    "if"
    "in"
    "inherit"
    "let"
    "or"
    "rec"
    "then"
    "with"
  ];
in
{
  inherit (builtins)
    compareVersions
    concatStringsSep
    fromJSON
    hashString
    isString
    match
    parseDrvName
    replaceStrings
    split
    splitVersion
    stringLength
    substring
    toJSON
    toString
    toXML
    unsafeDiscardStringContext
    ;

  # -- joining

  concatStrings = concatStringsSep "";
  concatMapStrings = f: list: concatStringsSep "" (map f list);
  concatImapStrings = f: list: concatStringsSep "" (lib.imap1 f list);
  concatMapStringsSep = sep: f: list: concatStringsSep sep (map f list);
  concatImapStringsSep = sep: f: list: concatStringsSep sep (lib.imap1 f list);
  concatMapAttrsStringSep = sep: f: set: concatStringsSep sep (lib.mapAttrsToList f set);
  concatLines = lib.concatMapStrings (line: line + "\n");
  intersperse =
    sep: list:
    lib.drop 1 (
      lib.concatMap (x: [
        sep
        x
      ]) list
    );
  join = concatStringsSep;
  optionalString = condition: string: if condition then string else "";
  fixedWidthString =
    width: filler: string:
    let
      length = stringLength string;
      missing = width - length;
    in
    lib.throwIf (missing < 0)
      "fixedWidthString: requested string length (${toString width}) must not be shorter than actual length (${toString length})"
      (lib.concatStrings (lib.replicate missing filler) + string);
  fixedWidthNumber = width: n: lib.fixedWidthString width "0" (toString n);

  # -- splitting

  hasPrefix = prefix: string: substring 0 (stringLength prefix) string == prefix;
  hasSuffix =
    suffix: string:
    let
      rest = stringLength string - stringLength suffix;
    in
    rest >= 0 && substring rest (stringLength suffix) string == suffix;
  hasInfix = infix: string: match ".*${lib.escapeRegex infix}.*" string != null;
  removePrefix =
    prefix: string:
    if lib.hasPrefix prefix string then substring (stringLength prefix) (-1) string else string;
  removeSuffix =
    suffix: string:
    if lib.hasSuffix suffix string then
      substring 0 (stringLength string - stringLength suffix) string
    else
      string;
  splitString =
    sep: string:
    map (part: builtins.unsafeDiscardStringContext part) (
      filter isString (split (lib.escapeRegex (toString sep)) (toString string))
    );
  stringToCharacters = string: lib.genList (i: substring i 1 string) (stringLength string);
  stringAsChars = f: string: lib.concatMapStrings f (lib.stringToCharacters string);
  trim = lib.trimWith {
    start = true;
    end = true;
  };
  trimWith =
    {
      start ? false,
      end ? false,
    }:
    string:
    let
      afterStart = if start then builtins.head (match "${blank}(.*)" string) else string;
      # The longest prefix that does not end with whitespace.
      beforeEnd = match "(.*[^ \t\r\n])${blank}" afterStart;
    in
    if !end then
      afterStart
    else if beforeEnd == null then
      ""
    else
      builtins.head beforeEnd;

  # -- comparing

  /* The edit distance of two strings: the number of characters to insert, delete
     or replace.
  */
  levenshtein =
    a: b:
    let
      # distances[i][j] is the distance of the first i characters of a and the first
      # j of b. List elements are evaluated only once, so no pair is computed twice.
      row = i: lib.genList (distance i) (stringLength b + 1);
      distances = lib.genList row (stringLength a + 1);
      at = i: j: lib.elemAt (lib.elemAt distances i) j;
      distance =
        i: j:
        let
          changed = if substring (i - 1) 1 a == substring (j - 1) 1 b then 0 else 1;
          shorter = lib.min (at (i - 1) j) (at i (j - 1)) + 1;
        in
        if i == 0 || j == 0 then i + j else lib.min shorter (at (i - 1) (j - 1) + changed);
    in
    at (stringLength a) (stringLength b);

  # -- upper and lower case

  toLower = replaceStrings upperLetters lowerLetters;
  toUpper = replaceStrings lowerLetters upperLetters;
  toSentenceCase =
    string: lib.toUpper (substring 0 1 string) + lib.toLower (substring 1 (-1) string);

  # -- quoting

  escape = chars: replaceStrings chars (map (char: "\\${char}") chars);
  escapeRegex = lib.escape (lib.stringToCharacters "\\[{()^$?*+|.");
  escapeXML =
    replaceStrings
      [ "\"" "'" "<" ">" "&" ]
      [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  escapeShellArg =
    arg:
    let
      string = toString arg;
    in
    if match "[[:alnum:],._+:@%/-]+" string == null then
      "'${replaceStrings [ "'" ] [ "'\\''" ] string}'"
    else
      string;
  escapeShellArgs = lib.concatMapStringsSep " " lib.escapeShellArg;
  escapeNixString = string: lib.escape [ "$" ] (builtins.toJSON string);
  escapeNixIdentifier =
    name:
    if match "[a-zA-Z_][a-zA-Z0-9_'-]*" name != null && !lib.elem name keywords then
      name
    else
      lib.strings.escapeNixString name;
  toShellVar =
    name: value:
    let
      entry = key: item: "[${lib.escapeShellArg key}]=${lib.escapeShellArg item}";
    in
    if builtins.isAttrs value && !lib.isStringLike value then
      "declare -A ${name}=(${lib.concatMapAttrsStringSep " " entry value})"
    else if builtins.isList value then
      "declare -a ${name}=(${lib.escapeShellArgs value})"
    else
      "${name}=${lib.escapeShellArg value}";
  toShellVars = lib.concatMapAttrsStringSep "\n" lib.toShellVar;

  # -- versions, names and numbers

  isStringLike = x: isString x || builtins.isPath x || x ? outPath || x ? __toString;
  isStorePath =
    x: lib.isStringLike x && dirOf (toString x) == builtins.storeDir;
  toInt =
    string:
    let
      number = match "${blank}(-?(0|[1-9][0-9]*))${blank}" string;
      padded = match "${blank}-?0[0-9]+${blank}" string != null;
      shown = lib.strings.escapeNixString string;
    in
    if padded then
      throw "toInt: Ambiguity in interpretation of ${shown} between octal and zero padded integer."
    else if number == null then
      throw "toInt: Could not convert ${shown} to int."
    else
      builtins.fromJSON (builtins.head number);
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !lib.versionOlder a b;
  getName =
    x: if isString x then (builtins.parseDrvName x).name else x.pname or (lib.getName x.name);
  getVersion =
    x: if isString x then (builtins.parseDrvName x).version else x.version or (lib.getVersion x.name);
  versions =
    let
      part = i: version: lib.elemAt (builtins.splitVersion version) i;
    in
    {
      major = part 0;
      minor = part 1;
      patch = part 2;
      majorMinor = version: "${part 0 version}.${part 1 version}";
    };
  nameFromURL = url: sep: builtins.head (lib.splitString sep (lib.last (lib.splitString "/" url)));
  fileContents = file: lib.removeSuffix "\n" (builtins.readFile file);

  # -- search paths

  makeSearchPath =
    subDir: paths:
    concatStringsSep ":" (map (path: "${path}/${subDir}") (filter (path: path != null) paths));
  makeSearchPathOutput =
    output: subDir: paths:
    lib.makeSearchPath subDir (map (lib.getOutput output) paths);
  makeBinPath = lib.makeSearchPathOutput "bin" "bin";
  makeLibraryPath = lib.makeSearchPathOutput "lib" "lib";
}
