// The functions that speakers and learners are likely to use, with the values that
// nixpkgs' library returns (compared with nixpkgs 26.05).
import { beforeAll, expect, test } from 'vitest'
import { describeWithNix, evaluate, warnings } from './evaluate'

type Example = [expression: string, value: unknown]

const drv = '{ type = "derivation"; name = "hello-1.2"; pname = "hello"; outPath = "/x"; bin.outPath = "/x-bin"; }'

const examples: Record<string, Example[]> = {
  'conditional values': [
    ['optional true 1', [1]],
    ['optional false 1', []],
    ['optionals true [ 1 2 ]', [1, 2]],
    ['optionals false [ 1 2 ]', []],
    ['optionalString true "a"', 'a'],
    ['optionalString false "a"', ''],
    ['optionalAttrs true { a = 1; }', { a: 1 }],
    ['optionalAttrs false { a = 1; }', {}],
  ],
  'joining strings': [
    ['concatStrings [ "a" "b" ]', 'ab'],
    ['concatStringsSep ", " [ "a" "b" ]', 'a, b'],
    ['concatLines [ "a" "b" ]', 'a\nb\n'],
    ['concatMapStrings toString [ 1 2 ]', '12'],
    ['concatMapStringsSep "," toString [ 1 2 ]', '1,2'],
    ['concatImapStringsSep "," (i: x: "${toString i}${x}") [ "a" "b" ]', '1a,2b'],
    ['concatMapAttrsStringSep "&" (n: v: "${n}=${v}") { a = "1"; b = "2"; }', 'a=1&b=2'],
    ['fixedWidthNumber 3 7', '007'],
    ['intersperse "-" [ "a" "b" "c" ]', ['a', '-', 'b', '-', 'c']],
  ],
  'splitting strings': [
    ['hasPrefix "ab" "abc"', true],
    ['hasPrefix "b" "abc"', false],
    ['hasSuffix "bc" "abc"', true],
    ['hasSuffix "xabc" "abc"', false],
    ['hasInfix "b.c" "ab.cd"', true],
    ['hasInfix "b.c" "abxcd"', false],
    ['hasInfix "b" "a\\nb\\nc"', true],
    ['removePrefix "a" "abc"', 'bc'],
    ['removePrefix "x" "abc"', 'abc'],
    ['removeSuffix ".nix" "a.nix"', 'a'],
    ['splitString "." "a.b.c"', ['a', 'b', 'c']],
    ['splitString "," ""', ['']],
    ['stringToCharacters "abc"', ['a', 'b', 'c']],
    ['trim "  a b \\n"', 'a b'],
    ['trim "   "', ''],
    ['toLower "ABC d"', 'abc d'],
    ['toUpper "abc D"', 'ABC D'],
    ['toInt " -7 "', -7],
    ['(builtins.tryEval (toInt "0080")).success', false],
    ['strings.levenshtein "kitten" "sitting"', 3],
  ],
  quoting: [
    ['escapeShellArg "a b"', "'a b'"],
    ['escapeShellArg "it\'s"', "'it'\\''s'"],
    ['escapeShellArg "abc-1.2/x:y@z%"', 'abc-1.2/x:y@z%'],
    ['escapeShellArg ""', "''"],
    ['escapeShellArgs [ "a" "b c" ]', "a 'b c'"],
    ['toShellVars { A = "1 2"; B = [ "x" "y z" ]; }', "A='1 2'\ndeclare -a B=(x 'y z')"],
    ['escapeRegex "a.b*"', 'a\\.b\\*'],
    ['escapeXML "<a href=\\"b\\">"', '&lt;a href=&quot;b&quot;&gt;'],
    ['strings.escapeNixIdentifier "a.b"', '"a.b"'],
    ['strings.escapeNixIdentifier "if"', '"if"'],
    ['strings.escapeNixString "a\\${b}\\n"', '"a\\${b}\\n"'],
  ],
  'versions and names': [
    ['versionOlder "1.1" "1.2"', true],
    ['versionOlder "1.2" "1.2"', false],
    ['versionAtLeast "1.2" "1.2"', true],
    ['versions.majorMinor "1.2.3"', '1.2'],
    ['getName "hello-world-1.2"', 'hello-world'],
    ['getVersion "hello-world-1.2"', '1.2'],
    ['trivial.release', '26.05'],
  ],
  lists: [
    ['range 1 3', [1, 2, 3]],
    ['range 3 1', []],
    ['foldr (a: b: [ a b ]) 0 [ 1 2 ]', [1, [2, 0]]],
    ["foldl' (a: b: a + b) 0 [ 1 2 3 ]", 6],
    ['unique [ 1 2 1 3 ]', [1, 2, 3]],
    ['flatten [ 1 [ 2 [ 3 ] ] ]', [1, 2, 3]],
    ['partition (x: x > 1) [ 1 2 3 ]', { right: [2, 3], wrong: [1] }],
    ['sort (a: b: a < b) [ 3 1 2 ]', [1, 2, 3]],
    ['sortOn builtins.stringLength [ "aaa" "b" "cc" ]', ['b', 'cc', 'aaa']],
    ['last [ 1 2 ]', 2],
    ['init [ 1 2 ]', [1]],
    ['take 2 [ 1 2 3 ]', [1, 2]],
    ['drop 1 [ 1 2 3 ]', [2, 3]],
    ['remove 1 [ 1 2 1 ]', [2]],
    ['subtractLists [ 1 ] [ 1 2 ]', [2]],
    ['intersectLists [ 1 2 3 ] [ 6 3 2 ]', [3, 2]],
    ['findFirst (x: x > 1) 0 [ 1 2 3 ]', 2],
    ['findFirst (x: x > 9) 0 [ 1 2 3 ]', 0],
    ['findFirst (x: x == 1) 0 [ 1 (throw "looked too far") ]', 1],
    ['imap0 (i: x: [ i x ]) [ "a" ]', [[0, 'a']]],
    ['imap1 (i: x: [ i x ]) [ "a" ]', [[1, 'a']]],
    ['reverseList [ 1 2 ]', [2, 1]],
    ['zipLists [ 1 2 ] [ "a" ]', [{ fst: 1, snd: 'a' }]],
    ['count (x: x > 1) [ 1 2 3 ]', 2],
    ['any (x: x == 1) [ 1 2 ]', true],
    ['all (x: x == 1) [ 1 2 ]', false],
    ['elem 2 [ 1 2 ]', true],
    ['toList 1', [1]],
    ['groupBy (x: if x > 1 then "many" else "one") [ 1 2 3 ]', { many: [2, 3], one: [1] }],
    ['naturalSort [ "disk11" "disk8" ]', ['disk8', 'disk11']],
  ],
  'attribute sets': [
    ['genAttrs [ "a" "b" ] (name: name + "!")', { a: 'a!', b: 'b!' }],
    ['mapAttrs\' (n: v: nameValuePair "x-${n}" (v + 1)) { a = 1; }', { 'x-a': 2 }],
    ['mapAttrsToList (n: v: "${n}${toString v}") { a = 1; b = 2; }', ['a1', 'b2']],
    ['attrsToList { a = 1; }', [{ name: 'a', value: 1 }]],
    ['filterAttrs (n: v: v > 1) { a = 1; b = 2; }', { b: 2 }],
    ['concatMapAttrs (n: v: { "${n}1" = v; "${n}2" = v; }) { a = 1; }', { a1: 1, a2: 1 }],
    ['recursiveUpdate { a.b = 1; a.c = 2; } { a.b = 3; d = 4; }', { a: { b: 3, c: 2 }, d: 4 }],
    ['recursiveUpdate { a.b = 1; } { a = 2; }', { a: 2 }],
    ['attrByPath [ "a" "b" ] 0 { a.b = 1; }', 1],
    ['attrByPath [ "a" "c" ] 0 { a.b = 1; }', 0],
    ['attrByPath [ "a" "b" "c" ] 0 { a.b = 1; }', 0],
    ['hasAttrByPath [ "a" "b" ] { a.b = 1; }', true],
    ['getAttrFromPath [ "a" "b" ] { a.b = 1; }', 1],
    ['setAttrByPath [ "a" "b" ] 1', { a: { b: 1 } }],
    ['getAttrs [ "a" ] { a = 1; b = 2; }', { a: 1 }],
    ['foldlAttrs (acc: n: v: acc + v) 0 { a = 1; b = 2; }', 3],
    ['zipAttrsWith (n: vs: vs) [ { a = 1; } { a = 2; b = 3; } ]', { a: [1, 2], b: [3] }],
    ['cartesianProduct { a = [ 1 2 ]; b = [ 3 ]; }', [{ a: 1, b: 3 }, { a: 2, b: 3 }]], // prettier-ignore
    ['mapAttrsRecursive (path: v: concatStringsSep "." path + v) { a.b = "!"; }', { a: { b: 'a.b!' } }],
    ['mergeAttrsList [ { a = 1; } { b = 2; } { a = 3; } ]', { a: 3, b: 2 }],
    ['collect builtins.isList { a.b = [ 1 ]; c = [ 2 ]; d = 3; }', [[1], [2]]],
    ['catAttrs "a" [ { a = 1; } { } { a = 2; } ]', [1, 2]],
  ],
  'functions, conditions and numbers': [
    ['pipe 2 [ (x: x + 2) (x: x * 2) ]', 8],
    ['flip (a: b: a - b) 1 2', 1],
    ['const 1 2', 1],
    ['id 1', 1],
    ['min 1 2', 1],
    ['max 1 2', 2],
    ['mod 7 3', 1],
    ['boolToString true', 'true'],
    ['functionArgs ({ a, b ? 1 }: a)', { a: false, b: true }],
    ['functionArgs (setFunctionArgs (x: x) { a = false; })', { a: false }],
    ['isFunction { __functor = self: x: x; }', true],
    ['throwIf false "no" 1', 1],
    ['throwIfNot true "no" 1', 1],
    ['assertMsg true "no"', true],
    ['(builtins.tryEval (assertMsg false "no")).success', false],
    ['(fix (self: { a = 1; b = self.a + 1; })).b', 2],
    ['(extend (final: prev: { id = _: final.min 3 4; })).id 1', 3],
    ['((extend (_: _: { a = 1; })).extend (_: prev: { b = prev.a + 1; })).b', 2],
    ['((makeOverridable ({ a, b ? 2 }: { sum = a + b; }) { a = 1; }).override { b = 5; }).sum', 6],
  ],
  packages: [
    [`getExe (${drv} // { meta.mainProgram = "hi"; })`, '/x-bin/bin/hi'],
    [`getExe' (${drv}) "foo"`, '/x-bin/bin/foo'],
    [`makeBinPath [ (${drv}) "/y" null ]`, '/x-bin/bin:/y/bin'],
    [`makeLibraryPath [ (${drv}) ]`, '/x/lib'],
    ['makeSearchPath "share" [ "/a" "/b" ]', '/a/share:/b/share'],
    [`(mkPackageOption { hello = ${drv}; } "hello" { }).description`, 'The hello package to use.'],
    [`(mkPackageOption { a.b = ${drv}; } [ "a" "b" ] { }).defaultText.text`, 'pkgs.a.b'],
    ['licenses.mit.spdxId', 'MIT'],
    ['builtins.elem "x86_64-linux" platforms.linux', true],
  ],
  'configuration files': [
    ['generators.toINI { } { a = { b = 1; c = true; }; }', '[a]\nb=1\nc=true\n'],
    ['generators.toKeyValue { } { a = 1; b = "x"; }', 'a=1\nb=x\n'],
    ['generators.toJSON { } { a = [ 1 ]; }', '{"a":[1]}'],
    ['generators.toPretty { } { a = [ 1 "x" ]; }', '{\n  a = [\n    1\n    "x"\n  ];\n}'],
    ['generators.toPretty { multiline = false; } { a = [ 1 ]; b = x: x; }', '{ a = [ 1 ]; b = <function>; }'],
    [`fileContents (/. + ${JSON.stringify(`${import.meta.dirname}/fixtures/list.nix`)})`, '{ list = [ "file" ]; }'],
  ],
}

for (const [group, rows] of Object.entries(examples)) {
  describeWithNix(`${group}: same value as in nixpkgs`, () => {
    let values: unknown[]
    beforeAll(() => {
      values = evaluate(rows.map(([expression]) => expression))
    })
    test.each(rows.map(([expression, value], index) => [expression, value, index] as const))(
      '%s',
      (_name, value, index) => {
        expect(values[index]).toEqual(value)
      },
    )
  })
}

describeWithNix('the library as a whole', () => {
  test('provides the functions of its groups under short names, too', () => {
    const groups = ['attrsets', 'lists', 'modules', 'options', 'strings', 'trivial']
    const names = ['genAttrs', 'flatten', 'mkForce', 'mkEnableOption', 'optionalString', 'importJSON']
    const [found] = evaluate([
      `zipListsWith (group: name: library.\${group} ? \${name} && library ? \${name}) ${nixList(groups)} ${nixList(names)}`,
    ])
    expect(found).toEqual(groups.map(() => true))
  })

  test('has no short names that nixpkgs does not have', () => {
    const names = ['escapeNixIdentifier', 'escapeNixString', 'findFirstIndex', 'importApply', 'showDefs', 'release']
    const [existing] = evaluate([`builtins.filter (name: hasAttr name library) ${nixList(names)}`])
    expect(existing).toEqual([])
  })

  test('evaluates completely', () => {
    const [kinds] = evaluate([`unique (attrValues (mapAttrs (_: builtins.typeOf) library))`])
    expect(kinds).toEqual(expect.arrayContaining(['lambda', 'set', 'string']))
  })

  test('prints warnings to stderr', () => {
    expect(warnings('warn "careful" 1')).toContain('evaluation warning: careful')
    expect(warnings('showWarnings [ "one" "two" ] 1')).toMatch(/one[^]*two/)
    expect(warnings('warnIf false "careful" 1')).not.toContain('careful')
  })

  test('warns if a package does not set its main program', () => {
    expect(warnings(`getExe (${drv})`)).toContain('Package hello does not have the meta.mainProgram attribute')
  })
})

function nixList(strings: string[]) {
  return `[ ${strings.map((string) => JSON.stringify(string)).join(' ')} ]`
}
