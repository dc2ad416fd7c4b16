#!/usr/bin/env node
import module from 'node:module'
import { prepareLabEarly } from './early-lab.js'
import { arePackagesOutdated, checkNode, isClone, prepareClone } from './install.js'

checkNode()
// Halves the time to load the server. Not available before Node 22.1.
module.enableCompileCache?.()

// Node ends at these signals without an event, and its child processes would continue.
const end = () => process.exit(130)
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
for (const signal of signals) process.on(signal, end)
const lab = isClone() && arePackagesOutdated() ? prepareLabEarly(process.argv.slice(2)) : undefined
await prepareClone()
// Now that Nix is installed, the command might choose another profile.
if (await lab) process.argv.push('--profile=lab')
// The commands handle signals themselves.
for (const signal of signals) process.off(signal, end)

await import('../server/dist/server/cli/cli.js')
