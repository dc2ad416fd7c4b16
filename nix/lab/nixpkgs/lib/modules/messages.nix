# Error messages of the module system. They have the same wording as in NixOS, so
# that learners can search for them. errors.lab.test.ts names the source of each.
lib:
let
  inherit (builtins)
    attrNames
    head
    length
    sort
    ;
  inherit (lib)
    concatStringsSep
    init
    last
    optionalString
    showFiles
    showOption
    ;
  inherit (lib.options) showDefs;
  inherit (lib.strings) escapeNixString;

  escape = builtins.fromJSON ''"\u001b"'';
  coloured = style: text: "${escape}[${style}m${text}${escape}[0m";
  bad = coloured "1;35";
  good = coloured "1;32";
  code = coloured "1";

  # The names closest to `name`, at most three. If there are many names, only those
  # with an edit distance of at most two.
  similar =
    name: names:
    let
      distance = lib.strings.levenshtein name;
      near = if length names < 100 then names else lib.filter (other: distance other <= 2) names;
    in
    lib.take 3 (lib.sortOn distance near);
in
{
  # -- about modules

  notAModule =
    class: prefix: file: type:
    let
      intoFile = optionalString (
        file != lib.unknownModule
      ) ", while trying to load a module into ${file}";
      intoPrefix = optionalString (
        prefix != [ ]
      ) ", while trying to load a module into ${code (showOption prefix)}";
      modules = if class == null then ".modules.someApp.default" else ".modules.${class}.default";
    in
    ''
      Expected a module, but found a value of type ${bad (escapeNixString type)}${intoFile}${intoPrefix}.
      A module is typically loaded by adding it to the ${code "imports = [ ... ];"} attribute of an existing module, or in the ${code "modules = [ ... ];"} argument of various functions.
      Please make sure that each of the list items is a module, and not a different kind of value.''
    + optionalString (type == "configuration") ''


      If you really mean to import this configuration, instead please only import the modules that make up the configuration.
      You may have to create a `let` binding, file or attribute to give yourself access to the relevant modules.
      While loading a configuration into the module system is a very sensible idea, it can not be done cleanly in practice.''
    + optionalString (type == "flake") ''


      Perhaps you forgot to select an attribute name?
      Instead of, for example,
          ${bad "inputs.someflake"}
      you need to write something like
          ${bad "inputs.someflake"}${good modules}''
    + optionalString (type == "flake" && class == "nixos") ''

      or
          ${bad "inputs.someflake"}${good ".nixosModules.default"}'';

  nestedImports =
    file: value:
    "Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions: ${
      showDefs [ { inherit file value; } ]
    }";

  strayAttributes =
    key: stray:
    "Module `${key}' has an unsupported attribute `${head stray}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString stray}) into the explicit `config' attribute.";

  wrongClass = file: found: expected: ''
    The module `${file}` (class: ${escapeNixString found}) cannot be imported into a module evaluation that expects class ${escapeNixString expected}.

    Help:
    - Ensure that you are importing the correct module.
    - Verify that the module's `_class`, ${escapeNixString found} matches the expected `class` ${escapeNixString expected}.
    - If you are using a custom class, make sure it is correctly defined and used consistently across your modules.
  '';

  disabledWithoutKey =
    file:
    "Module `${file}` contains a disabledModules item that is an attribute set, presumably a module, that does not have a `key` attribute. This means that the module system doesn't have any means to identify the module that should be disabled. Make sure that you've put the correct value in disabledModules: a string path relative to modulesPath, a path value, or an attribute set with a `key` attribute.";

  # -- about declarations

  declarationNotASet = loc: decl: ''
    An option declaration for `${concatStringsSep "." loc}' has type
    `${builtins.typeOf decl.options}' rather than an attribute set.
    Did you mean to define this outside of `options'?
  '';

  notAnOption =
    loc: decl:
    let
      type = decl.options._type;
      name = lib.strings.escapeNixIdentifier (last loc);
    in
    "In module ${decl.file}: expected an option declaration at option path `${showOption loc}` but got an attribute set with type ${type}"
    + optionalString (type == "option-type") ''


      When declaring an option, you must wrap the type in a `mkOption` call. It should look somewhat like:
          ${optionalString (length loc > 1) "\n    # ${showOption loc}"}
          ${name} = lib.mkOption {
            description = ...;
            type = <the type you wrote for ${name}>;
            ...
          };
    '';

  optionWithOptionsInside =
    loc: option: sets:
    let
      inside =
        decl:
        map (
          name:
          " - option(s) with prefix `${showOption (loc ++ [ name ])}' in module `${decl.file}'"
        ) (attrNames decl.options);
    in
    "The option `${showOption loc}' in module `${option.file}' would be a parent of the following options, but its type `${
      option.options.type.description or "<no description>"
    }' does not support nested options.\n"
    + concatStringsSep "\n" (sort (a: b: a < b) (lib.concatMap inside sets));

  declaredTwice =
    loc: file: others:
    "The option `${showOption loc}' in `${file}' is already declared in ${showFiles others}.";

  # -- about definitions

  definitionNotASet = loc: def: ''
    In module `${def.file}', you're trying to define a value of type `${builtins.typeOf def.value}'
    rather than an attribute set for the option
    `${concatStringsSep "." loc}'!

    This usually happens if `${concatStringsSep "." loc}' has option
    definitions inside that are not matched. Please check how to properly define
    this option by e.g. referring to `man 5 configuration.nix'!
  '';

  /* For a definition { file, path, value } without an option, below the path
     `prefix`. `options` are the options that exist.
  */
  unknownOption =
    prefix: options: def:
    let
      shown = showOption (prefix ++ def.path);
      parent = init def.path;
      siblings = attrNames (removeAttrs (lib.attrByPath parent { } options) [ "_module" ]);
      guesses = map (name: "`${showOption (prefix ++ parent ++ [ name ])}'") (
        similar (last def.path) siblings
      );
      didYouMean =
        if guesses == [ ] then
          ""
        else if length guesses == 1 then
          "\n\nDid you mean ${head guesses}?"
        else
          "\n\nDid you mean ${concatStringsSep ", " (init guesses)} or ${last guesses}?";
      message = "The option `${shown}' does not exist. Definition values:${
        builtins.addErrorContext
          "while evaluating the error message for definitions for `${shown}', which is an option that does not exist"
          (
            builtins.addErrorContext "while evaluating a definition from `${def.file}'" (showDefs [
              def
            ])
          )
      }${didYouMean}";
    in
    if attrNames options != [ "_module" ] then
      message
    else if prefix == [ ] then
      ''
        ${message}

        It seems as if you're trying to declare an option by placing it into `config' rather than `options'!
      ''
    else
      ''
        ${message}

        However there are no options defined in `${showOption prefix}'. Are you sure you've
        declared your options properly? This can happen if you e.g. declared your options in `types.submodule'
        under `config' rather than `options'.
      '';

  wrongType =
    loc: type: error:
    "A definition for option `${showOption loc}' is not of type `${type.description}'. ${error}";

  noValue =
    loc:
    "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.";

  readOnly =
    loc: defs:
    "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs defs}";
}
