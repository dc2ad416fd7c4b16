/** Shown in place of everything that needs the addon's server, in a deck that `slidev` itself serves or has built. */
export const NO_SERVER = 'No server. Start with: npx slidev-addon-understudy dev'
