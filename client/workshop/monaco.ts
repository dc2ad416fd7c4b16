import { shikiToMonaco } from '@shikijs/monaco'
import * as monaco from 'monaco-editor/editor/editor.api'
import EditorWorker from 'monaco-editor/editor/editor.worker?worker'
import 'monaco-editor/features/bracketMatching/register'
import 'monaco-editor/features/caretOperations/register'
import 'monaco-editor/features/clipboard/register'
import 'monaco-editor/features/codeEditor/register'
import 'monaco-editor/features/codicon/register'
import 'monaco-editor/features/comment/register'
import 'monaco-editor/features/contextmenu/register'
import 'monaco-editor/features/cursorUndo/register'
import 'monaco-editor/features/diffEditor/register'
import 'monaco-editor/features/find/register'
import 'monaco-editor/features/folding/register'
import 'monaco-editor/features/gotoLine/register'
import 'monaco-editor/features/indentation/register'
import 'monaco-editor/features/lineSelection/register'
import 'monaco-editor/features/linesOperations/register'
import 'monaco-editor/features/multicursor/register'
import 'monaco-editor/features/quickCommand/register'
import 'monaco-editor/features/readOnlyMessage/register'
import 'monaco-editor/features/smartSelect/register'
import 'monaco-editor/features/toggleTabFocusMode/register'
import 'monaco-editor/features/tokenization/register'
import 'monaco-editor/features/unicodeHighlighter/register'
import 'monaco-editor/features/wordHighlighter/register'
import 'monaco-editor/features/wordOperations/register'
import { createHighlighterCore, type ThemeRegistration } from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import dark from 'shiki/themes/github-dark-default.mjs'
import light from 'shiki/themes/github-light-default.mjs'
import { terminalFont } from '../terminal/fonts.ts'

/**
 * The editor of the workshop: Monaco with the features that editing a flake needs. Monaco's own language services are
 * left out (TypeScript's alone is 6 MB); Shiki highlights the syntax, as on the slides. The worker, which computes
 * diffs, and the icons are loaded from the deck's origin.
 */

self.MonacoEnvironment = { getWorker: () => new EditorWorker() }

const THEMES = { light: 'github-light-default', dark: 'github-dark-default' } as const

/** Shiki's languages by file name extension; all other files are plain text. */
const LANGUAGES: Record<string, string> = {
  nix: 'nix',
  sh: 'shellscript',
  bash: 'shellscript',
  py: 'python',
  html: 'html',
  css: 'css',
  js: 'javascript',
  mjs: 'javascript',
  json: 'json',
  lock: 'json',
  md: 'markdown',
}

/** @returns the language of a file in the flake */
export function languageOf(path: string): string {
  return LANGUAGES[path.slice(path.lastIndexOf('.') + 1)] ?? 'plaintext'
}

/** Adapts a theme to the page: the panels' background, and a contrast of at least 4.5 to 1 for muted text. */
function adaptTheme(
  theme: ThemeRegistration,
  { background, line, muted }: { background: string; line: string; muted: string },
): ThemeRegistration {
  const diff = {
    'diffEditor.insertedLineBackground': '#2ea04318',
    'diffEditor.insertedTextBackground': '#2ea0432e',
    'diffEditor.removedLineBackground': '#f8514918',
    'diffEditor.removedTextBackground': '#f851492e',
  }
  const colors = {
    ...diff,
    'editor.background': background,
    'editorGutter.background': background,
    'editor.lineHighlightBackground': line,
    'editorLineNumber.foreground': muted,
  }
  const comments = { scope: ['comment', 'punctuation.definition.comment'], settings: { foreground: muted } }
  return { ...theme, colors: { ...theme.colors, ...colors }, tokenColors: [...(theme.tokenColors ?? []), comments] }
}

/** Registers themes and languages. Call once, before the first editor is created. */
export async function prepare(): Promise<void> {
  const highlighter = await createHighlighterCore({
    engine: createJavaScriptRegexEngine({ forgiving: true }),
    themes: [
      adaptTheme(light, { background: '#ffffff', line: '#f3f6fb', muted: '#57606a' }),
      adaptTheme(dark, { background: '#101828', line: '#162036', muted: '#93a1b8' }),
    ],
    langs: [
      import('shiki/langs/nix.mjs'),
      import('shiki/langs/shellscript.mjs'),
      import('shiki/langs/python.mjs'),
      import('shiki/langs/html.mjs'),
      import('shiki/langs/css.mjs'),
      import('shiki/langs/javascript.mjs'),
      import('shiki/langs/json.mjs'),
      import('shiki/langs/markdown.mjs'),
    ],
  })
  for (const id of new Set(Object.values(LANGUAGES))) monaco.languages.register({ id })
  monaco.languages.setLanguageConfiguration('nix', {
    comments: { lineComment: '#', blockComment: ['/*', '*/'] },
    brackets: [
      ['{', '}'],
      ['[', ']'],
      ['(', ')'],
    ],
    autoClosingPairs: [
      { open: '{', close: '}' },
      { open: '[', close: ']' },
      { open: '(', close: ')' },
      { open: '"', close: '"', notIn: ['string', 'comment'] },
    ],
  })
  shikiToMonaco(highlighter, monaco)
}

/** Sets the color scheme of all editors. */
export function setColorScheme(dark: boolean): void {
  monaco.editor.setTheme(dark ? THEMES.dark : THEMES.light)
}

/** Options of all editors. */
export const EDITOR_OPTIONS = {
  automaticLayout: true,
  minimap: { enabled: false },
  fontFamily: terminalFont(),
  fontLigatures: false,
  fontSize: 13,
  lineHeight: 20,
  lineNumbersMinChars: 3,
  padding: { top: 8, bottom: 8 },
  scrollBeyondLastLine: false,
  tabSize: 2,
  insertSpaces: true,
  wordWrap: 'on',
  wrappingIndent: 'indent',
  renderLineHighlight: 'line',
  overviewRulerLanes: 0,
  stickyScroll: { enabled: false },
  accessibilitySupport: 'auto',
} satisfies monaco.editor.IEditorOptions & monaco.editor.IGlobalEditorOptions

export { monaco }
