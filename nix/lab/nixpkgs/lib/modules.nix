# The module system: many modules in, one configuration out.
#
# The way of a module:
#   1. read     a path, function or set becomes { file, key, imports,
#               disabledModules, options, config }, and so does all it imports
#   2. match    all modules' `options` and `config` are walked side by side,
#               name by name; definitions meet the option they are meant for
#   3. merge    an option's definitions become one value: conditions, then
#               priorities, then order, then the type
# Everything is lazy: `config` is an argument of the very modules it is made of.
lib:
let
  inherit (builtins)
    addErrorContext
    attrNames
    concatLists
    concatMap
    elem
    filter
    head
    isAttrs
    isList
    isString
    length
    mapAttrs
    removeAttrs
    typeOf
    zipAttrsWith
    ;
  inherit (lib)
    imap1
    isFunction
    mkOption
    optional
    showDefs
    showOption
    types
    ;

  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
    }@args:
    let
      # The options of the evaluation itself.
      internal = {
        _file = "lib/modules.nix";
        key = "lib/modules.nix";
        options._module = {
          args = mkOption {
            type = types.lazyAttrsOf types.raw;
            internal = true;
            description = "Additional arguments passed to each module.";
          };
          check = mkOption {
            type = types.bool;
            default = true;
            internal = true;
            description = "Whether a definition without an option is an error.";
          };
          freeformType = mkOption {
            type = types.nullOr types.optionType;
            default = null;
            internal = true;
            description = "How definitions without an option merge, if they are allowed.";
          };
          specialArgs = mkOption {
            type = types.raw;
            readOnly = true;
            internal = true;
            description = "Arguments that modules can use in `imports`.";
          };
        };
        config._module = {
          args = {
            inherit extendModules;
            moduleType = type;
          };
          inherit specialArgs;
        };
      };

      moduleArgs = {
        inherit lib config options;
        _class = class;
        _prefix = prefix;
      } // specialArgs;

      tree = matchAll prefix (readAll class moduleArgs (modules ++ [ internal ]));
      inherit (tree) options;

      declared = lib.mapAttrsRecursiveCond (node: !lib.isOption node) (_: option: option.value) options;
      freeformType = declared._module.freeformType;
      freeform = freeformType.merge prefix (
        map (def: {
          inherit (def) file;
          value = lib.setAttrByPath def.path def.value;
        }) tree.unmatched
      );
      config =
        if freeformType == null then
          declared
        else if tree.unmatched == [ ] then
          (freeformType.emptyValue.value or { }) // declared
        else
          lib.recursiveUpdate freeform declared;

      checked =
        value:
        if tree.unmatched != [ ] && freeformType == null && declared._module.check then
          throw (unknownOption prefix options (head tree.unmatched))
        else
          value;

      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? args.prefix or [ ],
        }:
        evalModules (
          args
          // {
            modules = args.modules ++ modules;
            specialArgs = args.specialArgs or { } // specialArgs;
            inherit prefix;
          }
        );

      type = types.submoduleWith { inherit modules specialArgs class; };
    in
    {
      _type = "configuration";
      inherit class extendModules type;
      options = checked options;
      config = checked (removeAttrs config [ "_module" ]);
      _module = checked config._module;
    };

  # ---- 1. Reading modules ---------------------------------------------------

  # All modules and what they import, each key once, the imported ones first.
  readAll =
    class: args: modules:
    let
      node =
        parent: n: module:
        let
          read = readModule class args {
            inherit (parent) file;
            key = "${parent.key}:anon-${toString n}";
          } module;
        in
        {
          inherit (read) key;
          inherit read;
        };
      children = parent: imap1 (node parent) parent.imports;
      start = children {
        file = lib.unknownModule;
        key = "";
        imports = modules;
      };
      closure =
        wanted:
        builtins.genericClosure {
          startSet = filter wanted start;
          operator = node: filter wanted (children node.read);
        };

      all = closure (_: true);
      modulesPath = toString args.modulesPath or "";
      disabledKey =
        module:
        if isString module && builtins.substring 0 1 module != "/" then
          "${modulesPath}/${module}"
        else if isAttrs module && !lib.isStringLike module then
          module.key or (throw "Module `${lib.generators.toPretty { } module}` in `disabledModules` has no attribute `key`.")
        else
          toString module;
      disabled = concatMap (node: map disabledKey node.read.disabledModules) all;
      enabled = if disabled == [ ] then all else closure (node: !elem node.key disabled);
    in
    map (node: node.read) (lib.reverseList enabled);

  # One module, from whatever it is written as.
  readModule =
    class: args: fallback: module:
    if isFunction module then
      fullForm class fallback (callModule args fallback.key module)
    else if isAttrs module then
      fullForm class fallback module
    else if isList module then
      throw "Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions: ${
        showDefs [
          {
            inherit (fallback) file;
            value = module;
          }
        ]
      }"
    else if lib.isStringLike module then
      let
        file = toString module;
        contents = import module;
        written = if isFunction contents then callModule args file contents else contents;
      in
      fullForm class {
        inherit file;
        key = file;
      } written
    else
      throw (notAModule fallback module);

  # Calls a module with the arguments it names. Those that are not special come
  # from `_module.args`, and only once the module uses them.
  callModule =
    args: key: module:
    let
      named = mapAttrs (
        name: _:
        addErrorContext "while evaluating the module argument `${name}' in \"${key}\":" (
          args.${name} or args.config._module.args.${name}
        )
      ) (lib.functionArgs module);
    in
    module (args // named);

  # The module with `options` and `config` apart and every part present.
  fullForm =
    class: fallback: written:
    let
      file = toString (written._file or fallback.file);
      key = toString (written.key or fallback.key);
      meta = [
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
          meta
          ++ [
            "options"
            "config"
            "meta"
          ]
        )
      );
      config = if explicit then written.config or { } else removeAttrs written (meta ++ [ "require" ]);
    in
    if !isAttrs written then
      throw (notAModule fallback written)
    else if (written._type or "module") != "module" then
      throw (notAModule fallback written)
    else if class != null && (written._class or null) != null && written._class != class then
      throw "The module `${file}` (class: ${lib.escapeNixString written._class}) cannot be imported into a module evaluation that expects class ${lib.escapeNixString class}."
    else if explicit && stray != [ ] then
      throw "Module `${key}' has an unsupported attribute `${head stray}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString stray}) into the explicit `config' attribute."
    else
      {
        inherit file key;
        disabledModules = written.disabledModules or [ ];
        imports = (if explicit then [ ] else written.require or [ ]) ++ written.imports or [ ];
        options = written.options or { };
        config =
          if written ? freeformType then
            mkMerge [
              config
              { _module.freeformType = written.freeformType; }
            ]
          else
            config;
      };

  notAModule =
    { file, ... }: value:
    "Expected a module, but found a value of type ${
      lib.escapeNixString (if isAttrs value then value._type or "set" else typeOf value)
    }, while trying to load a module into ${file}";

  # Says where a module was written, for one that does not say so itself.
  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };

  # ---- 2. Matching definitions with options ---------------------------------

  matchAll =
    prefix: modules:
    match prefix
      (map (module: {
        inherit (module) file options;
      }) modules)
      (
        concatMap (
          module:
          map (value: {
            inherit (module) file;
            inherit value;
          }) (pushDown module.config)
        ) modules
      );

  # One level of the tree, from the declarations [ { file, options } ] and the
  # definitions [ { file, value } ] that lie below `loc`. Returns
  #   options    the same tree, with the evaluated options as its leaves
  #   unmatched  [ { file, path, value } ], definitions without an option
  match =
    loc: decls: defs:
    let
      byName =
        field: items:
        zipAttrsWith (_: found: found) (
          map (
            item:
            mapAttrs (_: part: item // { ${field} = part; }) (
              if isAttrs item.${field} then item.${field} else throw (notASet loc field item)
            )
          ) items
        );
      declsByName = byName "options" decls;
      defsByName = byName "value" defs;

      results = mapAttrs (
        name: here: matchName (loc ++ [ name ]) here (defsByName.${name} or [ ])
      ) declsByName;
      inherited = concatLists (
        lib.mapAttrsToList (
          name: result: map (def: def // { path = [ name ] ++ def.path; }) result.unmatched
        ) results
      );
      unknown = removeAttrs defsByName (attrNames declsByName);
      own = concatLists (
        lib.mapAttrsToList (name: found: map (def: def // { path = [ name ]; }) found) unknown
      );
    in
    {
      options = mapAttrs (_: result: result.options) results;
      unmatched = own ++ inherited;
    };

  # One name in the tree: an option, or a set of options.
  matchName =
    loc: decls: defs:
    let
      sorted = lib.partition (decl: lib.isOption decl.options) decls;
      optionDecls = sorted.right;
      setDecls = sorted.wrong;
      firstType = (head optionDecls).options.type or types.unspecified;
      # Options declared inside an option whose value has options of its own.
      asSubmodule = map (
        decl:
        decl
        // {
          options = mkOption {
            type = types.submoduleWith {
              modules = [
                {
                  _file = decl.file;
                  inherit (decl) options;
                }
              ];
            };
          };
        }
      ) setDecls;
    in
    if optionDecls == [ ] then
      match loc setDecls (
        concatMap (def: map (value: def // { inherit value; }) (pushDown def.value)) defs
      )
    else if setDecls == [ ] then
      {
        options = evalOption loc (mergeDeclarations loc optionDecls) defs;
        unmatched = [ ];
      }
    else if lib.all (decl: (decl.options.type.getSubModules or null) != null) optionDecls then
      {
        options = evalOption loc (mergeDeclarations loc (optionDecls ++ asSubmodule)) defs;
        unmatched = [ ];
      }
    else
      throw ''
        The option `${showOption loc}' in module `${(head optionDecls).file}' would be a parent of the following options, but its type `${firstType.description}' does not support nested options.
        ${lib.concatMapStringsSep "\n" (
          decl:
          lib.concatMapStringsSep "\n" (
            name: "- option(s) with prefix `${showOption (loc ++ [ name ])}' in module `${decl.file}'"
          ) (attrNames decl.options)
        ) setDecls}'';

  # A `mkIf` and its like around a set, as the same around each of its values,
  # so that the names can be seen without evaluating the condition.
  pushDown =
    value:
    let
      each = wrap: map (mapAttrs (_: wrap)) (pushDown value.content);
    in
    if !(value ? _type) then
      [ value ]
    else if value._type == "merge" then
      concatMap pushDown value.contents
    else if value._type == "if" then
      each (mkIf value.condition)
    else if value._type == "override" then
      each (mkOverride value.priority)
    else if value._type == "order" then
      each (mkOrder value.priority)
    else
      [ value ];

  notASet =
    loc: field: item:
    if field == "value" then
      ''
        You're trying to define a value of type `${typeOf item.value}'
        rather than an attribute set for the option
        `${showOption loc}'!

        This usually happens if `${showOption loc}' has option
        definitions inside that are not matched. Please check how to properly define
        this option by e.g. referring to `man 5 configuration.nix'!
      ''
    else
      "The option `${showOption loc}' in `${item.file}' is declared as a value of type `${typeOf item.options}', but options are made with `lib.mkOption'.";

  unknownOption =
    prefix: options: def:
    "The option `${showOption (prefix ++ def.path)}' does not exist. Definition values:${
      showDefs [ def ]
    }";

  # ---- 3. Merging ------------------------------------------------------------

  # The declarations of one option, as one.
  mergeDeclarations =
    loc: decls:
    lib.foldl'
      (
        merged: decl:
        let
          option = decl.options;
          both = field: merged ? ${field} && option ? ${field};
          mergedType = if both "type" then located.typeMerge merged.type else null;
          located = locate decl.file option.type;
        in
        if
          both "default"
          || both "example"
          || both "description"
          || both "apply"
          || (both "type" && mergedType == null)
        then
          throw "The option `${showOption loc}' in `${decl.file}' is already declared in ${lib.showFiles merged.declarations}."
        else
          merged
          // option
          // {
            declarations = merged.declarations ++ [ decl.file ];
          }
          // lib.optionalAttrs (option ? type) { type = located; }
          // lib.optionalAttrs (both "type") { type = mergedType; }
      )
      {
        inherit loc;
        declarations = [ ];
      }
      decls;

  # The modules inside a submodule type get the file of the option they are in.
  locate = file: type: type;

  # An option with its value: the declaration and what became of it.
  evalOption =
    loc: declaration: defs:
    let
      type = declaration.type or types.unspecified;
      file = head (declaration.declarations ++ [ lib.unknownModule ]);
      default = {
        inherit file;
        value = mkOptionDefault declaration.default;
      };
      all = defs ++ optional (declaration ? default) default;
      merged =
        if declaration.readOnly or false && length (filter (def: def != null) all) > 1 then
          throw (readOnly loc all)
        else
          mergeDefinitions loc type all;
      apply = declaration.apply or lib.id;
    in
    declaration
    // {
      inherit loc type;
      value = addErrorContext "while evaluating the option `${showOption loc}':" (
        apply merged.mergedValue
      );
      inherit (merged) isDefined;
      definitions = lib.getValues merged.defs;
      definitionsWithLocations = merged.defs;
      files = lib.getFiles merged.defs;
      highestPrio = merged.priority;
      options = type.getSubOptions loc;
      __toString = _: showOption loc;
    };

  readOnly =
    loc: defs:
    let
      # Each definition on its own, so that one which fails does not hide another.
      values = map (
        def: def // { inherit (mergeDefinitions loc types.raw [ def ]) optionalValue; }
      ) defs;
    in
    "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${
      showDefs (map (def: def // { inherit (def.optionalValue) value; }) (filter (def: def.optionalValue ? value) values))
    }";

  # The definitions of one option (or of one part of its value):
  #   defs           those that count: switched on, of the highest priority
  #   priority       their priority
  #   mergedValue    their value, or an error
  #   optionalValue  { value } or, where nothing is defined, { }
  mergeDefinitions =
    loc: type: defs:
    let
      on = concatMap (
        def:
        map (value: def // { inherit value; }) (
          addErrorContext "while evaluating definitions from `${def.file}':" (discharge def.value)
        )
      ) defs;
      strongest = highestPriority on;
      final = sortByOrder strongest.defs;
      wrong = filter (def: !type.check def.value) final;
    in
    rec {
      defs = final;
      inherit (strongest) priority;
      isDefined = final != [ ];
      mergedValue =
        if !isDefined then
          throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option."
        else if wrong != [ ] then
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}"
        else
          type.merge loc final;
      optionalValue = lib.optionalAttrs isDefined { value = mergedValue; };
      # The names that nixpkgs has for these.
      defsFinal = final;
      defsFinal' = {
        values = final;
        highestPrio = strongest.priority;
      };
    };

  # The values in a definition after `mkMerge` and `mkIf`: none, one, or many.
  discharge =
    value:
    if (value._type or null) == "merge" then
      concatMap discharge value.contents
    else if (value._type or null) == "if" then
      if builtins.isBool value.condition then
        if value.condition then discharge value.content else [ ]
      else
        throw "‘mkIf’ called with a non-Boolean condition"
    else
      [ value ];

  # The definitions with the smallest number, freed from `mkOverride`.
  highestPriority =
    defs:
    let
      priorityOf = def: if (def.value._type or null) == "override" then def.value.priority else defaultOverridePriority;
      priority = lib.foldl' (least: def: lib.min least (priorityOf def)) 9999 defs;
      strip =
        def: if (def.value._type or null) == "override" then def // { value = def.value.content; } else def;
    in
    {
      inherit priority;
      defs = map strip (filter (def: priorityOf def == priority) defs);
    };

  # The definitions in the order of `mkOrder`, freed from it.
  sortByOrder =
    defs:
    let
      ordered = lib.any (def: (def.value._type or null) == "order") defs;
      strip =
        def:
        if (def.value._type or null) == "order" then
          def
          // {
            value = def.value.content;
            order = def.value.priority;
          }
        else
          def // { order = defaultOrderPriority; };
      unnumbered = def: removeAttrs def [ "order" ];
    in
    if ordered then map unnumbered (builtins.sort (a: b: a.order < b.order) (map strip defs)) else defs;

  # ---- What definitions can be wrapped in -------------------------------------

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };

  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;

  mkOptionDefault = mkOverride 1500;

  # A module with the option `from`, whose definitions go to the option `to`.
  mkAlias =
    {
      from,
      to,
      visible,
      warn,
      use,
    }:
    { config, options, ... }:
    let
      target = lib.getAttrFromPath to options;
      source = lib.getAttrFromPath from options;
    in
    {
      options = lib.setAttrByPath from (
        mkOption {
          inherit visible;
          description = "Alias of `${showOption to}`.";
          apply = _: use (lib.getAttrFromPath to config);
        }
        // lib.optionalAttrs (target ? type) { inherit (target) type; }
      );
      config = mkMerge [
        (lib.optionalAttrs (warn && options ? warnings) {
          warnings =
            optional source.isDefined
              "The option `${showOption from}' defined in ${lib.showFiles source.files} has been renamed to `${showOption to}'.";
        })
        (lib.setAttrByPath to (
          mkIf source.isDefined (mkMerge (map (mkOverride source.highestPrio) source.definitions))
        ))
      ];
    };
in
{
  inherit
    evalModules
    mergeDefinitions
    setDefaultModuleLocation
    mkIf
    mkMerge
    mkOverride
    mkOrder
    mkOptionDefault
    defaultOverridePriority
    defaultOrderPriority
    ;

  # A smaller number wins.
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;

  # A smaller number comes first.
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  mkAssert =
    assertion: message: content:
    mkIf (lib.throwIfNot assertion message true) content;

  # ---- Options that moved ------------------------------------------------------

  mkRenamedOptionModule =
    from: to:
    mkAlias {
      inherit from to;
      visible = false;
      warn = true;
      use = lib.warn "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };
  mkAliasOptionModule =
    from: to:
    mkAlias {
      inherit from to;
      visible = true;
      warn = false;
      use = lib.id;
    };
  mkRemovedOptionModule = path: replacement: { options, ... }: {
    options = lib.setAttrByPath path (mkOption {
      visible = false;
      apply =
        _:
        throw "The option `${showOption path}' can no longer be used since it's been removed. ${replacement}";
    });
    config.assertions =
      let
        option = lib.getAttrFromPath path options;
      in
      [
        {
          assertion = !option.isDefined;
          message = ''
            The option definition `${showOption path}' in ${lib.showFiles option.files} no longer has any effect; please remove it.
            ${replacement}
          '';
        }
      ];
  };
}
