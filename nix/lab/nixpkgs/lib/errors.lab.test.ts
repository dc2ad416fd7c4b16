// Error messages of the module system. They are the same as in NixOS, so that learners can search for them.
//
// `source` names the file and function in nixpkgs that has the message, as of the branch-off of release 26.05.
// nixpkgs' own tests are in lib/tests/modules.sh.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNix, failure, warnings } from './evaluate'

const service = join(import.meta.dirname, 'fixtures/service.nix')

/** The configuration of a machine with the SPA's service module. Its own file contains `definitions`. */
const machine = (definitions: string) =>
  `(evalModules { modules = [ ${service} { _file = "/machine.nix"; config = ${definitions}; } ]; }).config`

/** The value of an option of type `type` that modules in /a.nix, /b.nix, … define. */
const option = (type: string, ...values: string[]) =>
  `(evalModules { modules = [ { options.x = mkOption { type = ${type}; }; } ${values
    .map((value, index) => `{ _file = "/${'abc'[index]}.nix"; x = ${value}; }`)
    .join(' ')} ]; }).config.x`

/** The configuration that consists of modules, each a Nix expression. */
const modules = (...all: string[]) =>
  `(evalModules { modules = [ ${all.map((module) => `(${module})`).join(' ')} ]; }).config`

const changePriority =
  'Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.'

type Mistake = { mistake: string; source: string; expression: string; message: string }

const mistakes: Record<string, Mistake[]> = {
  'a value of the wrong type': [
    {
      mistake: 'a string for a port',
      source: 'lib/modules.nix mergeDefinitions, lib/types.nix ints.u16, lib/options.nix showDefs',
      expression: machine('{ services.spa-app.port = "eighty"; }') + '.services.spa-app.port',
      message: `A definition for option \`services.spa-app.port' is not of type \`16 bit unsigned integer; between 0 and 65535 (both inclusive)'. Definition values:
- In \`/machine.nix': "eighty"`,
    },
    {
      mistake: 'a port number that is too large',
      source: 'lib/types.nix ints.between',
      expression: machine('{ services.spa-app.port = 70000; }') + '.services.spa-app.port',
      message: `A definition for option \`services.spa-app.port' is not of type \`16 bit unsigned integer; between 0 and 65535 (both inclusive)'. Definition values:
- In \`/machine.nix': 70000`,
    },
    {
      mistake: 'a string for a boolean',
      source: 'lib/types.nix bool',
      expression: machine('{ services.spa-app.enable = "yes"; }') + '.services.spa-app.enable',
      message: `A definition for option \`services.spa-app.enable' is not of type \`boolean'. Definition values:
- In \`/machine.nix': "yes"`,
    },
    {
      mistake: 'a directory for a package',
      source: 'lib/types.nix package',
      expression: machine('{ services.spa-app.package = /tmp; }') + '.services.spa-app.package',
      message: `A definition for option \`services.spa-app.package' is not of type \`package'. Definition values:
- In \`/machine.nix': /tmp`,
    },
    {
      mistake: 'a port for a list of ports',
      source: 'lib/types.nix listOf, checkDefsForError',
      expression: machine('{ openPorts = 80; }') + '.openPorts',
      message: `A definition for option \`openPorts' is not of type \`list of 16 bit unsigned integer; between 0 and 65535 (both inclusive)'. TypeError: Definition values:
- In \`/machine.nix': 80`,
    },
    {
      mistake: 'a list element of the wrong type',
      source: 'lib/types.nix listOf',
      expression: option('types.listOf types.port', '[ 80 "443" ]'),
      message: `A definition for option \`x."[definition 1-entry 2]"' is not of type \`16 bit unsigned integer; between 0 and 65535 (both inclusive)'. Definition values:
- In \`/a.nix': "443"`,
    },
    {
      mistake: 'a set element of the wrong type',
      source: 'lib/types.nix attrsWith',
      expression: option('types.attrsOf types.str', '{ a = 80; }'),
      message: `A definition for option \`x.a' is not of type \`string'. Definition values:
- In \`/a.nix': 80`,
    },
    {
      mistake: 'a value that an enum does not contain',
      source: 'lib/types.nix enum',
      expression: option('types.enum [ "ext4" "xfs" ]', '"ntfs"'),
      message: `A definition for option \`x' is not of type \`one of "ext4", "xfs"'. Definition values:
- In \`/a.nix': "ntfs"`,
    },
    {
      mistake: 'a value of neither of two types',
      source: 'lib/types.nix either',
      expression: option('types.either types.int types.str', 'true'),
      message: `A definition for option \`x' is not of type \`signed integer or string'. TypeError: The option \`x\` is neither a value of type \`signed integer\` nor \`string\`, Definition values:
- In \`/a.nix': true`,
    },
    {
      mistake: 'a value where null or a list is expected',
      source: 'lib/types.nix nullOr, optionDescriptionPhrase',
      expression: option('types.nullOr (types.listOf types.str)', '1'),
      message: `A definition for option \`x' is not of type \`null or (list of string)'. Definition values:
- In \`/a.nix': 1`,
    },
    {
      mistake: 'a list for a type that accepts strings and numbers',
      source: 'lib/types.nix coercedTo',
      expression: option('types.coercedTo types.int toString types.str', '[ ]'),
      message: `A definition for option \`x' is not of type \`string or signed integer convertible to it'. TypeError: Definition values:
- In \`/a.nix': [ ]`,
    },
    {
      mistake: 'a relative path for an absolute one',
      source: 'lib/types.nix pathWith',
      expression: option('types.path', '"dist"'),
      message: `A definition for option \`x' is not of type \`absolute path'. Definition values:
- In \`/a.nix': "dist"`,
    },
    {
      mistake: 'a string that does not match the pattern',
      source: 'lib/types.nix strMatching',
      expression: option('types.strMatching "[a-z]+"', '"A1"'),
      message: `A definition for option \`x' is not of type \`string matching the pattern [a-z]+'. Definition values:
- In \`/a.nix': "A1"`,
    },
    {
      mistake: 'a number for a submodule',
      source: 'lib/types.nix submoduleWith',
      expression: option('types.submodule { }', '5'),
      message: `A definition for option \`x' is not of type \`submodule'. TypeError: Definition values:
- In \`/a.nix': 5`,
    },
    {
      mistake: 'an empty list for a non-empty one',
      source: 'lib/types.nix nonEmptyListOf, addCheck',
      expression: option('types.nonEmptyListOf types.int', '[ ]'),
      message: `A definition for option \`x' is not of type \`non-empty (list of signed integer)'. TypeError: Definition values:
- In \`/a.nix': [ ]`,
    },
    {
      mistake: 'a function result of the wrong type',
      source: 'lib/types.nix functionTo',
      expression: option('types.functionTo types.str', '_: 1') + ' 0',
      message: `A definition for option \`x.<function body>' is not of type \`string'. Definition values:
- In \`/a.nix': 1`,
    },
    {
      mistake: 'a default of the wrong type',
      source: 'lib/modules.nix evalOptionValue',
      expression: modules('{ _file = "/a.nix"; options.x = mkOption { type = types.int; default = "one"; }; }') + '.x',
      message: `A definition for option \`x' is not of type \`signed integer'. Definition values:
- In \`/a.nix': "one"`,
    },
    {
      mistake: 'a string with several lines, shown on several lines',
      source: 'lib/options.nix showDefs, lib/generators.nix toPretty',
      expression: option('types.int', '"one\\ntwo"'),
      message: `A definition for option \`x' is not of type \`signed integer'. Definition values:
- In \`/a.nix':
    ''
      one
      two''`,
    },
  ],

  'an option that does not exist': [
    {
      mistake: 'a typo',
      source: 'lib/modules.nix evalModules checkUnmatched',
      expression: machine('{ services.spa-app.prot = 80; }'),
      message: `The option \`services.spa-app.prot' does not exist. Definition values:
- In \`/machine.nix': 80

Did you mean \`services.spa-app.port', \`services.spa-app.host' or \`services.spa-app.enable'?`,
    },
    {
      mistake: 'a typo inside mkIf with a false condition',
      source: 'lib/modules.nix evalModules checkUnmatched, showDefs of a property',
      expression: machine('{ services.spa-app = mkIf false { prot = 80; }; }'),
      message: `The option \`services.spa-app.prot' does not exist. Definition values:
- In \`/machine.nix':
    {
      _type = "if";
      condition = false;
      content = 80;
    }

Did you mean \`services.spa-app.port', \`services.spa-app.host' or \`services.spa-app.enable'?`,
    },
    {
      mistake: 'a typo in a submodule',
      source: 'lib/modules.nix evalModules checkUnmatched; lib/tests/modules/error-typo-submodule.nix',
      expression:
        modules(
          '{ options.hosts = mkOption { type = types.attrsOf (types.submodule { options.root = mkOption { default = null; }; }); }; }',
          '{ _file = "/machine.nix"; hosts."example.com".rot = "/srv"; }',
        ) + '.hosts."example.com".root',
      message: `The option \`hosts."example.com".rot' does not exist. Definition values:
- In \`/machine.nix': "/srv"

Did you mean \`hosts."example.com".root'?`,
    },
    {
      mistake: 'a typo among more than a hundred options, with only close names suggested',
      source: 'lib/modules.nix evalModules checkUnmatched; lib/tests/modules/error-typo-large-attrset.nix',
      expression: modules(
        '{ options = genAttrs (map (i: "option${toString i}") (range 1 120)) (_: mkOption { default = 0; }); }',
        '{ _file = "/a.nix"; optoin12 = 1; }',
      ),
      message: `The option \`optoin12' does not exist. Definition values:
- In \`/a.nix': 1

Did you mean \`option12'?`,
    },
    {
      mistake: 'a long value, shown partially',
      source: 'lib/options.nix showDefs',
      expression: machine('{ typo = { a = 1; b = 2; c = 3; d = 4; e = 5; }; }'),
      message: `The option \`typo' does not exist. Definition values:
- In \`/machine.nix':
    {
      a = 1;
      b = 2;
      c = 3;
      d = 4;
    ...

Did you mean \`openPorts' or \`services'?`,
    },
    {
      mistake: 'a value whose evaluation fails, not shown',
      source: 'lib/options.nix showDefs',
      expression: machine('{ typo = throw "no"; }'),
      message: `The option \`typo' does not exist. Definition values:
- In \`/machine.nix'

Did you mean \`openPorts' or \`services'?`,
    },
    {
      mistake: 'an infinite value, shown partially',
      source: 'lib/options.nix showDefs, lib/generators.nix withRecursion',
      expression: machine('{ typo = let endless = { again = endless; }; in endless; }'),
      message: `The option \`typo' does not exist. Definition values:
- In \`/machine.nix':
    {
      again = {
        again = {
          again = {
            again = {
    ...

Did you mean \`openPorts' or \`services'?`,
    },
    {
      mistake: 'an option declared under config',
      source: 'lib/modules.nix evalModules checkUnmatched; lib/tests/modules/error-mkOption-in-config.nix',
      expression: modules('{ _file = "/a.nix"; x = mkOption { }; }'),
      message: `The option \`x' does not exist. Definition values:
- In \`/a.nix':
    {
      _type = "option";
    }

It seems as if you're trying to declare an option by placing it into \`config' rather than \`options'!`,
    },
    {
      mistake: 'an option declared under config in a submodule',
      source: 'lib/modules.nix evalModules checkUnmatched; lib/tests/modules/error-mkOption-in-submodule-config.nix',
      expression: option('types.submodule { config.a = 1; }', '{ }'),
      message: `The option \`x.a' does not exist. Definition values:
- In \`<unknown-file>': 1

However there are no options defined in \`x'. Are you sure you've
declared your options properly? This can happen if you e.g. declared your options in \`types.submodule'
under \`config' rather than \`options'.`,
    },
    {
      mistake: 'a string for a set of options',
      source: "lib/modules.nix mergeModules' checkedConfigs",
      expression: machine('{ services.spa-app = "on"; }'),
      message: `In module \`/machine.nix', you're trying to define a value of type \`string'
rather than an attribute set for the option
\`services.spa-app'!

This usually happens if \`services.spa-app' has option
definitions inside that are not matched. Please check how to properly define
this option by e.g. referring to \`man 5 configuration.nix'!`,
    },
  ],

  'conflicting definitions': [
    {
      mistake: 'two values with the same priority',
      source: 'lib/options.nix mergeEqualOption',
      expression: option('types.str', '"a"', '"b"'),
      message: `The option \`x' has conflicting definition values:
- In \`/b.nix': "b"
- In \`/a.nix': "a"
${changePriority}`,
    },
    {
      mistake: 'two values with mkForce',
      source: 'lib/options.nix mergeEqualOption',
      expression: option('types.str', 'mkForce "a"', 'mkForce "b"', '"c"'),
      message: `The option \`x' has conflicting definition values:
- In \`/b.nix': "b"
- In \`/a.nix': "a"
${changePriority}`,
    },
    {
      mistake: 'an option without a value',
      source: 'lib/modules.nix mergeDefinitions',
      expression: machine('{ }') + '.services.spa-app.package',
      message: "The option `services.spa-app.package' was accessed but has no value defined. Try setting the option.",
    },
    {
      mistake: 'two values for a unique option',
      source: 'lib/options.nix mergeUniqueOption',
      expression: option('types.unique { message = "Only one."; } types.int', '1', '1'),
      message: `The option \`x' is defined multiple times while it's expected to be unique.
Only one.
Definition values:
- In \`/b.nix': 1
- In \`/a.nix': 1
${changePriority}`,
    },
    {
      mistake: 'a value for a read-only option',
      source: 'lib/modules.nix evalOptionValue',
      expression:
        modules(
          '{ _file = "/a.nix"; options.x = mkOption { type = types.int; default = 1; readOnly = true; }; }',
          '{ _file = "/b.nix"; x = 2; }',
        ) + '.x',
      message: `The option \`x' is read-only, but it's set multiple times. Definition values:
- In \`/a.nix': 1
- In \`/b.nix': 2`,
    },
    {
      mistake: 'null and another value',
      source: 'lib/types.nix nullOr',
      expression: option('types.nullOr types.str', 'null', '"b"'),
      message: "The option `x` is defined both null and not null, in `/b.nix' and `/a.nix'.",
    },
    {
      mistake: 'a list and a number for an option of type anything',
      source: 'lib/types.nix anything',
      expression: option('types.anything', '[ 1 ]', '2'),
      message: "The option `x' has conflicting option types in `/b.nix' and `/a.nix'",
    },
    {
      mistake: 'a string and a number for an option without a type',
      source: 'lib/options.nix mergeDefaultOption',
      expression: option('types.unspecified', '1', '"b"'),
      message: `Cannot merge definitions of \`x'. Definition values:
- In \`/b.nix': "b"
- In \`/a.nix': 1`,
    },
    {
      mistake: 'mkIf with a condition that is not a boolean',
      source: 'lib/modules.nix dischargeProperties',
      expression: option('types.int', 'mkIf "yes" 1'),
      message: '‘mkIf’ called with a non-Boolean condition',
    },
  ],

  'an invalid declaration': [
    {
      mistake: 'an option declared twice',
      source: 'lib/modules.nix mergeOptionDecls',
      expression:
        modules(service, '{ _file = "/b.nix"; options.services.spa-app.port = mkOption { default = 1; }; }') +
        '.services.spa-app.port',
      message: `The option \`services.spa-app.port' in \`${service}' is already declared in \`/b.nix'.`,
    },
    {
      mistake: 'an option declared twice with incompatible types',
      source: 'lib/modules.nix mergeOptionDecls',
      expression:
        modules(
          '{ _file = "/a.nix"; options.x = mkOption { type = types.str; }; }',
          '{ _file = "/b.nix"; options.x = mkOption { type = types.int; }; }',
        ) + '.x',
      message: "The option `x' in `/a.nix' is already declared in `/b.nix'.",
    },
    {
      mistake: 'a type without mkOption',
      source: 'lib/modules.nix throwDeclarationTypeError',
      expression: modules('{ _file = "/a.nix"; options.x = types.str; }') + '.x',
      message: `In module /a.nix: expected an option declaration at option path \`x\` but got an attribute set with type option-type

When declaring an option, you must wrap the type in a \`mkOption\` call. It should look somewhat like:

    x = lib.mkOption {
      description = ...;
      type = <the type you wrote for x>;
      ...
    };`,
    },
    {
      mistake: 'a string for an option declaration',
      source: "lib/modules.nix mergeModules' declsByName",
      expression: modules('{ options.services.spa-app = "on"; }'),
      message: `An option declaration for \`services.spa-app' has type
\`string' rather than an attribute set.
Did you mean to define this outside of \`options'?`,
    },
    {
      mistake: 'options inside an option',
      source: "lib/modules.nix mergeModules' resultsByName, showRawDecls",
      expression: modules(
        '{ _file = "/a.nix"; options.x = mkOption { type = types.attrsOf types.int; }; }',
        '{ _file = "/b.nix"; options.x.enable = mkEnableOption "x"; }',
      ),
      message: `The option \`x' in module \`/a.nix' would be a parent of the following options, but its type \`attribute set of signed integer' does not support nested options.
 - option(s) with prefix \`x.enable' in module \`/b.nix'`,
    },
    {
      mistake: 'definitions next to a top-level options or config',
      source: 'lib/modules.nix unifyModuleSyntax',
      expression: modules('{ options.x = mkOption { }; y = 1; z = 2; }'),
      message:
        "Module `:anon-1' has an unsupported attribute `y'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: y z) into the explicit `config' attribute.",
    },
  ],

  'an import that is not a module': [
    {
      mistake: 'a flake input instead of its module',
      source: 'lib/modules.nix messages.not_a_module',
      expression:
        '(evalModules { class = "nixos"; modules = [ { _file = "/machine.nix"; imports = [ { _type = "flake"; } ]; } ]; }).config',
      message: `Expected a module, but found a value of type "flake", while trying to load a module into /machine.nix.
A module is typically loaded by adding it to the imports = [ ... ]; attribute of an existing module, or in the modules = [ ... ]; argument of various functions.
Please make sure that each of the list items is a module, and not a different kind of value.

Perhaps you forgot to select an attribute name?
Instead of, for example,
    inputs.someflake
you need to write something like
    inputs.someflake.modules.nixos.default
or
    inputs.someflake.nixosModules.default`,
    },
    {
      mistake: 'an evaluated configuration',
      source: 'lib/modules.nix messages.not_a_module',
      expression: modules('evalModules { modules = [ ]; }'),
      message: `Expected a module, but found a value of type "configuration".
A module is typically loaded by adding it to the imports = [ ... ]; attribute of an existing module, or in the modules = [ ... ]; argument of various functions.
Please make sure that each of the list items is a module, and not a different kind of value.

If you really mean to import this configuration, instead please only import the modules that make up the configuration.
You may have to create a \`let\` binding, file or attribute to give yourself access to the relevant modules.
While loading a configuration into the module system is a very sensible idea, it can not be done cleanly in practice.`,
    },
    {
      mistake: 'a nested list',
      source: 'lib/modules.nix loadModule',
      expression: modules('{ _file = "/a.nix"; imports = [ [ ] ]; }'),
      message: `Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions:
- In \`/a.nix': [ ]`,
    },
    {
      mistake: 'a function that does not return a module',
      source: 'lib/modules.nix unifyModuleSyntax',
      expression: modules('{ lib, ... }: 5'),
      message: 'module <unknown-file> (:anon-1) does not look like a module.',
    },
    {
      mistake: 'a module of another class',
      source: 'lib/modules.nix checkModule',
      expression: '(evalModules { class = "nixos"; modules = [ { _file = "/a.nix"; _class = "darwin"; } ]; }).config',
      message: `The module \`/a.nix\` (class: "darwin") cannot be imported into a module evaluation that expects class "nixos".

Help:
- Ensure that you are importing the correct module.
- Verify that the module's \`_class\`, "darwin" matches the expected \`class\` "nixos".
- If you are using a custom class, make sure it is correctly defined and used consistently across your modules.`,
    },
    {
      mistake: 'a disabled module without a key',
      source: 'lib/modules.nix isDisabled',
      expression: modules('{ _file = "/a.nix"; disabledModules = [ { } ]; }'),
      message:
        "Module `/a.nix` contains a disabledModules item that is an attribute set, presumably a module, that does not have a `key` attribute. This means that the module system doesn't have any means to identify the module that should be disabled. Make sure that you've put the correct value in disabledModules: a string path relative to modulesPath, a path value, or an attribute set with a `key` attribute.",
    },
    {
      mistake: 'a typo in a deferred module, reported with its original file',
      source: 'lib/types.nix deferredModuleWith; lib/tests/modules/deferred-module.nix',
      expression:
        modules(
          '{ options.nodes = mkOption { type = types.deferredModule; }; }',
          '{ _file = "/test.nix"; nodes.typo = 1; }',
          '{ config, ... }: { options.result = mkOption { default = (evalModules { modules = [ config.nodes { options.type = mkOption { }; } ]; }).config; }; }',
        ) + '.result',
      message: `The option \`typo' does not exist. Definition values:
- In \`/test.nix, via option nodes': 1

Did you mean \`type'?`,
    },
    {
      mistake: 'a reference to a removed option',
      source: 'lib/modules.nix mkRemovedOptionModule',
      expression:
        modules('mkRemovedOptionModule [ "old" ] "Use new."', '{ options.assertions = mkOption { }; }') + '.old',
      message: "The option `old' can no longer be used since it's been removed. Use new.",
    },
  ],
}

for (const [group, rows] of Object.entries(mistakes)) {
  describeWithNix(`the error for ${group} matches NixOS:`, () => {
    const named = rows.map((row) => [`${row.mistake} (${row.source})`, row] as const)
    test.each(named)('%s', (_name, { expression, message }) => {
      expect(failure(expression)).toBe(message)
    })
  })
}

describeWithNix('the error for imports that depend on config', () => {
  test('explains how to import conditionally', () => {
    // The hint is in the trace, whose position in the output depends on the version of Nix.
    const recursion = warnings(
      modules('{ config, ... }: { imports = optional config.x { }; options.x = mkEnableOption "x"; }'),
    )
    expect(recursion).toContain('infinite recursion encountered')
    expect(recursion).toContain('you probably reference `config` in `imports`')
  })
})
