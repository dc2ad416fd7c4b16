#!/usr/bin/env node
import { checkNode, prepareClone } from './install.js'

checkNode()
prepareClone()
await import('../server/dist/server/cli/cli.js')
