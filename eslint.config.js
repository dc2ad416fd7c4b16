// The linter: type-aware rules, and the layers of docs/architecture.md.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import eslintConfigPrettier from 'eslint-config-prettier'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

const root = dirname(fileURLToPath(import.meta.url))

/**
 * The layers of the server, from top to bottom. A folder imports only from layers below its own; folders of one layer
 * do not import each other.
 */
const SERVER_LAYERS = [
  ['cli'],
  ['video'],
  ['http'],
  ['workshop', 'rehearsal'],
  ['steps'],
  ['environment'],
  ['recording'],
  ['terminal'],
  ['executor', 'deck'],
  ['lib'],
]

/** Top-level folders, with the other folders of the project that each may import. */
const PARTS = {
  shared: [],
  client: ['shared'],
  components: ['client'],
  layouts: ['client', 'shared'],
  server: ['shared'],
}

/** All folders that a zone can name. */
const ALL = [...new Set([...Object.keys(PARTS), 'setup', 'theme', 'e2e', 'bench', 'scripts', 'nix', 'tasks'])]

const zone = (target, from, message) => ({ target: join(root, target), from: join(root, from), message })

const zones = [
  ...Object.entries(PARTS).flatMap(([part, allowed]) =>
    ALL.filter((other) => other !== part && !allowed.includes(other)).map((other) =>
      zone(
        part,
        other,
        `${part}/ may import only from ${[part, ...allowed].map((name) => `${name}/`).join(', ')}. See docs/architecture.md.`,
      ),
    ),
  ),
  ...SERVER_LAYERS.flatMap((layer, index) =>
    layer.flatMap((folder) =>
      SERVER_LAYERS.slice(0, index + 1)
        .flat()
        .filter((other) => other !== folder)
        .map((other) =>
          zone(
            `server/${folder}`,
            `server/${other}`,
            `server/${folder}/ is not above server/${other}/: imports only go down the layers. See docs/architecture.md.`,
          ),
        ),
    ),
  ),
]

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/',
      'server/dist/',
      'dist/',
      'videos/',
      'test-results/',
      'playwright-report/',
      'nix/spa/',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...vue.configs['flat/recommended'],
  importX.flatConfigs.typescript,
  {
    files: ['**/*.ts', '**/*.vue', '**/*.js'],
    languageOptions: {
      parser: vueParser,
      parserOptions: {
        parser: tseslint.parser,
        projectService: { allowDefaultProject: ['eslint.config.js', 'bin/*.js'] },
        tsconfigRootDir: root,
        extraFileExtensions: ['.vue'],
      },
    },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver()],
      'import-x/parsers': { 'vue-eslint-parser': ['.vue'] },
    },
    plugins: { 'import-x': importX },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      // Numbers and booleans are readable in messages; objects are not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `return void f()` and `() => f()` are short forms of this code base.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Callbacks in options are destructured. As properties, they do not depend on `this`.
      '@typescript-eslint/method-signature-style': ['error', 'property'],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // The text of a terminal is intentionally split into code points.
      '@typescript-eslint/no-misused-spread': 'off',
      // Component names are terms of the project's vocabulary: Step, Pace, Measured.
      'vue/multi-word-component-names': 'off',
    },
  },
  {
    // A test imports the code that it tests, from any layer.
    files: ['**/*.test.ts', '**/*.spec.ts', 'server/test/**', 'nix/lab/for-tests.ts', 'bench/**', 'scripts/**'],
    rules: {
      'import-x/no-restricted-paths': 'off',
      // Matchers are `any`, and a test may fail with a TypeError.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  eslintConfigPrettier,
)
