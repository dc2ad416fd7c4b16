import type { ShikiSetup } from '@slidev/types'

interface Palette {
  text: string
  muted: string
  string: string
  keyword: string
  name: string
  value: string
}

/** A code theme with few colors: names in NixOS's blue, distinct strings and values, muted but legible comments. */
function codeTheme(name: string, type: 'light' | 'dark', palette: Palette) {
  const rule = (scope: string[], foreground: string, fontStyle = '') => ({ scope, settings: { foreground, fontStyle } })
  return {
    name,
    type,
    colors: { 'editor.foreground': palette.text, 'editor.background': '#00000000' },
    tokenColors: [
      { settings: { foreground: palette.text } },
      rule(['comment', 'punctuation.definition.comment'], palette.muted, 'italic'),
      rule(['string', 'punctuation.definition.string'], palette.string),
      rule(['keyword', 'storage', 'keyword.operator'], palette.keyword),
      rule(['entity.other.attribute-name', 'variable.parameter', 'support.type.property-name'], palette.name),
      rule(['support.function', 'entity.name.function', 'variable.language'], palette.keyword),
      rule(['constant', 'constant.numeric', 'constant.language'], palette.value),
      rule(['punctuation.section.embedded', 'markup.italic'], palette.value),
      rule(['punctuation'], palette.text),
    ],
  }
}

export default (() => ({
  themes: {
    light: codeTheme('talk-light', 'light', {
      text: '#26354f',
      muted: '#5d6b84',
      string: '#1b6e4f',
      keyword: '#8a3ea8',
      name: '#2b52a8',
      value: '#b23c0a',
    }),
    dark: codeTheme('talk-dark', 'dark', {
      text: '#d5e1f5',
      muted: '#93a5c4',
      string: '#9ed8a5',
      keyword: '#d3a6f2',
      name: '#8cc4ee',
      value: '#ff9f5a',
    }),
  },
})) satisfies ShikiSetup
