import { defineShikiSetup } from '@slidev/types'

interface Inks {
  text: string
  quiet: string
  string: string
  keyword: string
  name: string
  value: string
}

/** A code theme of few inks: names in NixOS's blue, strings and values apart from them, comments quiet but readable. */
function codeTheme(name: string, type: 'light' | 'dark', inks: Inks) {
  const ink = (scope: string[], foreground: string, fontStyle = '') => ({ scope, settings: { foreground, fontStyle } })
  return {
    name,
    type,
    colors: { 'editor.foreground': inks.text, 'editor.background': '#00000000' },
    tokenColors: [
      { settings: { foreground: inks.text } },
      ink(['comment', 'punctuation.definition.comment'], inks.quiet, 'italic'),
      ink(['string', 'punctuation.definition.string'], inks.string),
      ink(['keyword', 'storage', 'keyword.operator'], inks.keyword),
      ink(['entity.other.attribute-name', 'variable.parameter', 'support.type.property-name'], inks.name),
      ink(['support.function', 'entity.name.function', 'variable.language'], inks.keyword),
      ink(['constant', 'constant.numeric', 'constant.language'], inks.value),
      ink(['punctuation.section.embedded', 'markup.italic'], inks.value),
      ink(['punctuation'], inks.text),
    ],
  }
}

export default defineShikiSetup(() => ({
  themes: {
    light: codeTheme('talk-light', 'light', {
      text: '#26354f',
      quiet: '#5d6b84',
      string: '#1b6e4f',
      keyword: '#8a3ea8',
      name: '#2b52a8',
      value: '#b23c0a',
    }),
    dark: codeTheme('talk-dark', 'dark', {
      text: '#d5e1f5',
      quiet: '#93a5c4',
      string: '#9ed8a5',
      keyword: '#d3a6f2',
      name: '#8cc4ee',
      value: '#ff9f5a',
    }),
  },
}))
