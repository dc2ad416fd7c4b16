#!/usr/bin/env node
import { checkNode, makeRunnable } from './install.js'

checkNode()
makeRunnable()
await import('../server/dist/server/cli/cli.js')
