import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { startPart } from './process.ts'
import { startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'
const count = Number(process.argv[2] ?? 1)
const lines = Array.from({ length: 100000 }, (_, n) => `${n} ${'the quick brown fox jumps over the lazy dog'.slice(0, n % 44)}\n`).join('')
writeFileSync('/tmp/prof/f', lines.repeat(16))
const mb = lines.length * 16 / 1e6 + 1.6
const s = await startSubject()
const { link, terminal } = s.ready
const v = await startPart('viewers.ts', [JSON.stringify({ link, terminal, count })], () => undefined)
const typist = await Viewer.open({ ticket: await enter(link), terminal })
typist.send({ type: 'detach', terminal })
const cpu = (pid: number) => Object.fromEntries(readdirSync(`/proc/${pid}/task`).map((t) => { const x = readFileSync(`/proc/${pid}/task/${t}/stat`, 'utf8'); const f = x.slice(x.lastIndexOf(')') + 2).split(' '); return [t, [Number(f[11]) / 100, Number(f[12]) / 100]] }))
const b = cpu(s.pid), bv = cpu(v.pid)
const seen = new Promise((d) => v.child.once('message', d))
v.child.send('END-42')
const t = performance.now()
typist.type('cat /tmp/prof/f; echo END-$((6*7))\r')
console.log(await seen)
const sec = (performance.now() - t) / 1000
const show = (a: Record<string, number[]>, b: Record<string, number[]>) => Object.entries(a).map(([k, [u, y]]) => [k, (u! - (b[k]?.[0] ?? 0)).toFixed(2), (y! - (b[k]?.[1] ?? 0)).toFixed(2)].join(':')).filter((x) => !x.endsWith('0.00:0.00')).join('  ')
console.log(mb, 'MB', sec.toFixed(2), 's', (mb / sec).toFixed(1), 'MB/s')
console.log('server', show(cpu(s.pid), b)); console.log('viewers', show(cpu(v.pid), bv))
await typist.close(); await v.end(); await s.end()
