// Values of configurations. NixOS's module system returns the same values
// (compared with nixpkgs 26.05).
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { describeWithNix, evaluate } from './evaluate'

/** A path in Nix. A literal could not contain spaces. */
const fixture = (name: string) => `(/. + ${JSON.stringify(join(import.meta.dirname, 'fixtures', name))})`

/** The configuration that consists of modules, each a Nix expression. They can use `list`, `int` and `option`. */
function config(...modules: string[]) {
  return `(let
    option = type: default: mkOption { inherit type default; };
    list = { options.list = option (types.listOf types.str) [ ]; };
    int = { options.int = option types.int 0; };
  in evalModules { modules = [ ${modules.map((module) => `(${module})`).join(' ')} ]; }).config`
}

type Behavior = [behavior: string, expression: string, value: unknown]

const behaviors: Record<string, Behavior[]> = {
  'a service module': [
    ['has the defaults of its options', config(fixture('service.nix')) + '.services.spa-app.port', 80],
    [
      'sets other options if it is enabled',
      config(fixture('service.nix'), '{ services.spa-app = { enable = true; port = 8080; }; }') + '.openPorts',
      [8080],
    ],
    ['does not set other options if it is disabled', config(fixture('service.nix')) + '.openPorts', []],
    [
      'accepts a package as the value of an option',
      config(
        fixture('service.nix'),
        '{ services.spa-app.package = { type = "derivation"; name = "spa"; outPath = "/x"; }; }',
      ) + '.services.spa-app.package.name',
      'spa',
    ],
  ],

  imports: [
    [
      'put imported definitions before those of the importing module, and those of later modules first',
      config(
        'list',
        '{ list = [ "1" ]; imports = [ { list = [ "1.1" ]; } { list = [ "1.2" ]; } ]; }',
        '{ list = [ "2" ]; }',
      ) + '.list',
      ['1.2', '1.1', '2', '1'],
    ],
    [
      'evaluate a file only once',
      config('list', fixture('list.nix'), `{ imports = [ ${fixture('list.nix')} ]; }`) + '.list',
      ['file'],
    ],
    [
      'evaluate modules with the same key only once',
      config('list', '{ key = "k"; list = [ "a" ]; }', '{ imports = [ { key = "k"; list = [ "a" ]; } ]; }') + '.list',
      ['a'],
    ],
    [
      'exclude modules that disabledModules names by path',
      config('list', fixture('list.nix'), `{ disabledModules = [ ${fixture('list.nix')} ]; }`) + '.list',
      [],
    ],
    [
      'exclude modules that disabledModules names relative to modulesPath',
      `(evalModules {
        specialArgs.modulesPath = ${fixture('')};
        modules = [
          { options.list = mkOption { type = types.listOf types.str; default = [ ]; }; }
          ${fixture('list.nix')}
          { disabledModules = [ "list.nix" ]; }
        ];
      }).config.list`,
      [],
    ],
    [
      'can depend on specialArgs',
      '(evalModules { specialArgs.more = [ { x = 5; } ]; modules = [ ({ more, ... }: { imports = more; options.x = mkOption { }; }) ]; }).config.x',
      5,
    ],
    [
      'can call a file with arguments',
      config('list', `modules.importApply ${fixture('import-apply.nix')} { entry = "applied"; }`) + '.list',
      ['applied'],
    ],
  ],

  'module arguments': [
    [
      'include _module.args',
      config('{ answer, ... }: { options.x = option types.int answer; }', '{ _module.args.answer = 42; }') + '.x',
      42,
    ],
    ['are evaluated only if they are used', config('{ missing, ... }: { options.x = option types.int 1; }') + '.x', 1],
    [
      'include the declared options',
      config('{ options, ... }: { options.x = option types.bool (options ? y); }') + '.x',
      false,
    ],
    [
      'include the class',
      '(evalModules { class = "nixos"; modules = [ ({ _class, ... }: { options.x = mkOption { default = _class; }; }) ]; }).config.x',
      'nixos',
    ],
  ],

  priorities: [
    ['prefer a plain value to mkDefault', config('int', '{ int = mkDefault 1; }', '{ int = 2; }') + '.int', 2],
    ['prefer mkForce to a plain value', config('int', '{ int = mkForce 1; }', '{ int = 2; }') + '.int', 1],
    [
      'prefer the smallest number',
      config('int', '{ int = mkForce 1; }', '{ int = mkOverride 40 2; }', '{ int = mkImageMediaOverride 3; }') + '.int',
      2,
    ],
    ['prefer mkVMOverride to mkForce', config('int', '{ int = mkVMOverride 1; }', '{ int = mkForce 2; }') + '.int', 1],
    ['prefer mkDefault to the default of the option', config('int', '{ int = mkDefault 1; }') + '.int', 1],
    [
      'apply to the values inside a set',
      config(
        '{ options.a.x = option types.int 0; options.a.y = option types.int 0; }',
        '{ a = mkForce { x = 1; }; }',
        '{ a.x = 2; a.y = 3; }',
      ) + '.a',
      { x: 1, y: 3 },
    ],
    [
      'replace the complete list',
      config('list', '{ list = [ "a" ]; }', '{ list = mkForce [ "b" ]; }') + '.list',
      ['b'],
    ],
    [
      'have no effect if the condition is false',
      config('int', '{ int = mkIf true (mkForce 1); }', '{ int = mkIf false (mkForce 2); }') + '.int',
      1,
    ],
  ],

  'the order of definitions': [
    [
      'is set by mkBefore, mkAfter and mkOrder',
      config(
        'list',
        '{ list = [ "middle" ]; }',
        '{ list = mkAfter [ "last" ]; }',
        '{ list = mkBefore [ "first" ]; }',
        '{ list = mkOrder 600 [ "second" ]; }',
      ) + '.list',
      ['first', 'second', 'middle', 'last'],
    ],
    [
      'applies to lines',
      config('{ options.text = mkOption { type = types.lines; }; }', '{ text = "b"; }', '{ text = mkBefore "a"; }') +
        '.text',
      'a\nb',
    ],
  ],

  conditions: [
    [
      'can depend on an option in the same set',
      config(
        '{ config, ... }: { options.a.on = option types.bool true; options.a.x = option types.int 0; config.a = mkIf config.a.on { x = 1; }; }',
      ) + '.a.x',
      1,
    ],
    ['can apply to a complete module', config('int', '{ config, ... }: mkIf true { int = 1; }') + '.int', 1],
    [
      'can be nested and merged',
      config(
        'list',
        '{ config = mkMerge [ { list = [ "a" ]; } (mkIf true (mkMerge [ { list = [ "b" ]; } (mkIf false { list = [ "c" ]; }) ])) ]; }',
      ) + '.list',
      ['a', 'b'],
    ],
    [
      'remove a name from attrsOf, but not from lazyAttrsOf',
      `map (type: attrNames ${config('{ options.x = mkOption { inherit type; }; }', '{ x.a = 1; x.b = mkIf false 2; }')}.x) [ (types.attrsOf types.int) (types.lazyAttrsOf types.int) ]`,
      [['a'], ['a', 'b']],
    ],
  ],

  types: [
    [
      'merge lists, lines and commas',
      config(
        '{ options = { c = mkOption { type = types.commas; }; l = mkOption { type = types.lines; }; }; }',
        '{ c = "a"; l = "a"; }',
        '{ c = "b"; l = "b"; }',
      ),
      { c: 'b,a', l: 'b\na' },
    ],
    [
      'merge sets of lists name by name',
      config(
        '{ options.x = mkOption { type = types.attrsOf (types.listOf types.int); }; }',
        '{ x.a = [ 1 ]; }',
        '{ x.a = [ 2 ]; x.b = [ 3 ]; }',
      ) + '.x',
      { a: [2, 1], b: [3] },
    ],
    ['accept several equal values', config('int', '{ int = 1; }', '{ int = 1; }') + '.int', 1],
    [
      'have a value without definitions if they can be empty',
      config(
        '{ options = mapAttrs (_: type: mkOption { inherit type; }) { l = types.listOf types.int; a = types.attrsOf types.int; n = types.nullOr types.int; s = types.submodule { options.x = option types.int 1; }; }; }',
      ),
      { l: [], a: {}, n: null, s: { x: 1 } },
    ],
    [
      'evaluate only the names of lazyAttrsOf that are used',
      config('{ options.x = mkOption { type = types.lazyAttrsOf types.int; }; }', '{ x.a = 1; x.b = throw "used"; }') +
        '.x.a',
      1,
    ],
    [
      'convert with coercedTo',
      config(
        '{ options.x = mkOption { type = types.listOf (types.coercedTo types.int toString types.str); }; }',
        '{ x = [ 1 "a" ]; }',
      ) + '.x',
      ['1', 'a'],
    ],
    [
      'merge anything recursively',
      config(
        '{ options.x = mkOption { type = types.anything; }; }',
        '{ x.a.b = 1; x.d = mkDefault 1; }',
        '{ x.a.c = [ 1 ]; x.d = 2; }',
      ) + '.x',
      { a: { b: 1, c: [1] }, d: 2 },
    ],
    [
      'merge functions by their results',
      config(
        '{ options.f = mkOption { type = types.functionTo (types.listOf types.int); }; }',
        '{ f = x: [ x ]; }',
        '{ f = x: [ 0 ]; }',
      ) + '.f 1',
      [0, 1],
    ],
    [
      'remove the newline of a single line',
      config('{ options.x = mkOption { type = types.singleLineStr; }; }', '{ x = "a\\n"; }') + '.x',
      'a',
    ],
    [
      'are merged when an option is declared twice',
      config(
        '{ options.x = mkOption { type = types.enum [ "a" ]; }; }',
        '{ options.x = mkOption { type = types.enum [ "b" ]; }; }',
        '{ x = "a"; }',
      ) + '.x',
      'a',
    ],
    [
      'apply a function to their value',
      config('{ options.x = option types.int 2 // { apply = x: x * 2; }; }') + '.x',
      4,
    ],
  ],

  submodules: [
    [
      'know their name and their own config',
      config(
        '{ options.x = mkOption { type = types.attrsOf (types.submodule ({ name, config, ... }: { options.a = option types.str name; options.b = option types.str config.a; })); }; }',
        '{ x.one = { }; x.two.a = "z"; }',
      ) + '.x',
      { one: { a: 'one', b: 'one' }, two: { a: 'z', b: 'z' } },
    ],
    [
      'can be defined by functions and files',
      config(
        '{ options.x = mkOption { type = types.submodule { options.list = mkOption { type = types.listOf types.str; }; }; }; }',
        `{ x = ${fixture('list.nix')}; }`,
        '{ x = { config, ... }: { list = mkBefore [ "function" ]; }; }',
      ) + '.x.list',
      ['function', 'file'],
    ],
    [
      'can have an option called config if definitions contain only config',
      config(
        '{ options.x = mkOption { type = types.submodule { options.config = option types.int 1; }; }; }',
        '{ x.config = 4; }',
      ) + '.x',
      { config: 4 },
    ],
    [
      'can be extended by a second declaration',
      config(
        '{ options.x = option (types.submodule { options.a = option types.int 1; }) { }; }',
        '{ options.x = mkOption { type = types.submodule { options.b = option types.int 2; }; }; }',
      ) + '.x',
      { a: 1, b: 2 },
    ],
    [
      'can be extended by options declared inside them',
      config(
        '{ options.x = option (types.submodule { options.a = option types.int 1; }) { }; }',
        '{ options.x.b = option types.int 2; }',
      ) + '.x',
      { a: 1, b: 2 },
    ],
    [
      'can have their own specialArgs',
      config(
        '{ options.x = option (types.submoduleWith { specialArgs.answer = 42; modules = [ ({ answer, ... }: { options.a = option types.int answer; }) ]; }) { }; }',
      ) + '.x.a',
      42,
    ],
  ],

  'freeform types': [
    [
      'accept definitions without an option, next to options and inside sets of options',
      config(
        '{ freeformType = types.attrsOf types.anything; options.a.b = option types.int 1; }',
        '{ a.c = 2; d = [ 3 ]; }',
      ),
      { a: { b: 1, c: 2 }, d: [3] },
    ],
    ['accept a configuration without definitions', config('{ freeformType = types.attrsOf types.int; }'), {}],
    [
      'work in submodules',
      config(
        '{ options.x = option (types.submodule { freeformType = types.attrsOf types.str; options.a = option types.int 1; }) { }; }',
        '{ x.z = "1"; }',
      ) + '.x',
      { a: 1, z: '1' },
    ],
    [
      'are not needed if checks are disabled',
      config('int', '{ config._module.check = false; config.typo = 1; }') + '.int',
      0,
    ],
  ],

  'an evaluation': [
    [
      'can be extended several times',
      `let first = evalModules { modules = [ { options.x = mkOption { default = 1; }; } ]; };
           second = first.extendModules { modules = [ { x = 2; } ]; };
           third = second.extendModules { modules = [ { x = mkForce 3; } ]; };
       in map (evaluated: evaluated.config.x) [ first second third ]`,
      [1, 2, 3],
    ],
    [
      'can be the type of an option',
      `{ inherit (${config(
        '{ extendModules, ... }: { options.x = option types.int 1; options.y = option types.int 0; options.variant = mkOption { inherit (extendModules { modules = [ { x = mkDefault 10; } ]; }) type; default = { }; }; }',
        '{ variant.y = 5; }',
      )}.variant) x y; }`,
      { x: 10, y: 5 },
    ],
    [
      'returns the declarations, definitions and priority of each option',
      `let
        evaluated = evalModules {
          modules = [
            { _file = "/declares.nix"; options.x = mkOption { type = types.int; default = 1; description = "An x."; }; }
            { _file = "/defines.nix"; x = mkForce 2; }
          ];
        };
      in { inherit (evaluated.options.x) value isDefined highestPrio files declarations definitions description loc; name = toString evaluated.options.x; }`,
      {
        value: 2,
        isDefined: true,
        highestPrio: 50,
        files: ['/defines.nix'],
        declarations: ['/declares.nix'],
        definitions: [2],
        description: 'An x.',
        loc: ['x'],
        name: 'x',
      },
    ],
    [
      'collects deferred modules without evaluating them',
      config(
        '{ options.machine = option types.deferredModule { }; }',
        '{ machine.x = 1; }',
        '{ machine = { lib, ... }: { options.x = lib.mkOption { }; options.y = lib.mkOption { default = 2; }; }; }',
        '{ config, ... }: { options.result = mkOption { default = (evalModules { modules = [ config.machine ]; }).config; }; }',
      ) + '.result',
      { x: 1, y: 2 },
    ],
  ],

  'renamed and removed options': [
    [
      'pass their definitions to the new option, with a warning',
      `let c = ${config(
        'mkRenamedOptionModule [ "old" ] [ "new" "name" ]',
        '{ options.new.name = option types.int 1; options.warnings = option (types.listOf types.str) [ ]; }',
        '{ _file = "/machine.nix"; old = 5; }',
      )}; in { inherit (c) new warnings; }`,
      { new: { name: 5 }, warnings: ["The option `old' defined in `/machine.nix' has been renamed to `new.name'."] },
    ],
    [
      'keep their priority if they are aliases',
      config(
        'mkAliasOptionModule [ "short" ] [ "long" "name" ]',
        '{ options.long.name = option types.int 1; }',
        '{ short = mkForce 5; long.name = 9; }',
      ),
      { long: { name: 5 }, short: 5 },
    ],
    [
      'fail an assertion if they were removed and are still defined',
      `map (assertion: assertion.message) (builtins.filter (assertion: !assertion.assertion) ${config(
        'mkRemovedOptionModule [ "old" ] "Use new."',
        '{ options.assertions = mkOption { type = types.listOf types.raw; }; }',
        '{ _file = "/machine.nix"; old = 1; }',
      )}.assertions)`,
      ["The option definition `old' in `/machine.nix' no longer has any effect; please remove it.\nUse new.\n"],
    ],
  ],
}

for (const [group, rows] of Object.entries(behaviors)) {
  describeWithNix(group, () => {
    let values: unknown[]
    beforeAll(() => {
      values = evaluate(rows.map(([, expression]) => expression))
    })
    test.each(rows.map(([behavior, , value], index) => [behavior, value, index] as const))(
      '%s',
      (_name, value, index) => {
        expect(values[index]).toEqual(value)
      },
    )
  })
}
