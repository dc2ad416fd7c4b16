import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { describeNotRun } from './not-run.ts'
import xmlbuilder from 'xmlbuilder'
import { z } from 'zod'
import { type Profile, profileSchema } from '../../shared/deck/contract.ts'
import { captured } from '../../shared/recording/metadata.ts'
import type { StepReport } from './rehearsal.ts'

const place = { step: z.string(), slide: z.number().int() }

/** What `npm run rehearse` writes as JSON. Times are in seconds. */
export const rehearsalFile = z.strictObject({
  deck: z.string(),
  profile: profileSchema,
  date: z.iso.datetime(),
  steps: z.array(
    z.union([
      z.strictObject({
        ...place,
        result: z.enum(['passed', 'failed']),
        seconds: z.number(),
        problems: z.array(z.string()),
        captures: z.record(z.string(), captured),
        recorded: z.boolean(),
      }),
      z.strictObject({ ...place, result: z.literal('not-run'), reason: z.string() }),
    ]),
  ),
})
export type RehearsalFile = z.infer<typeof rehearsalFile>

/** The reports as they are written to a file: with sentences in place of typed values. */
export function fileEntries(reports: StepReport[]): RehearsalFile['steps'] {
  return reports.map((report) =>
    report.result === 'not-run'
      ? { ...report, reason: describeNotRun(report.reason) }
      : { ...report, problems: report.problems.map(describeStepProblem) },
  )
}

/** A table for people: step, result, seconds, against the last time. */
export function table(reports: StepReport[], last: RehearsalFile | undefined): string {
  const rows = reports.map((report) => {
    const before = last?.steps.find(({ step }) => step === report.step)
    if (report.result === 'not-run') return [report.step, 'not run', '', '', describeNotRun(report.reason)]
    const difference = before && before.result !== 'not-run' ? report.seconds - before.seconds : undefined
    const against =
      difference === undefined ? 'first time' : `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(1)} s`
    return [
      report.step,
      report.result,
      `${report.seconds.toFixed(1)} s`,
      against,
      report.problems.map(describeStepProblem).join(' '),
    ]
  })
  const header = ['step', 'result', 'time', 'last time', '']
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)))
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 4 ? cell : column > 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The same for a CI system, in JUnit's format (as Jenkins and GitLab read it). */
export function junit(deck: string, profile: Profile, date: string, reports: StepReport[]): string {
  const count = (result: StepReport['result']) => reports.filter((report) => report.result === result).length
  const seconds = reports.reduce((sum, report) => sum + (report.result === 'not-run' ? 0 : report.seconds), 0)
  const suite = xmlbuilder.create('testsuites', { version: '1.0', encoding: 'UTF-8' }).ele('testsuite', {
    name: `${deck} (${profile})`,
    tests: reports.length,
    failures: count('failed'),
    skipped: count('not-run'),
    time: seconds.toFixed(3),
    timestamp: date,
  })
  for (const report of reports) {
    const test = suite.ele('testcase', {
      classname: `slide ${report.slide}`,
      name: report.step,
      time: report.result === 'not-run' ? '0' : report.seconds.toFixed(3),
    })
    if (report.result === 'not-run') test.ele('skipped', { message: describeNotRun(report.reason) })
    // A problem may quote what a program printed: XML 1.0 has no place for control characters.
    if (report.result === 'failed') {
      const problems = report.problems.map(describeStepProblem)
      test.ele('failure', { message: printable(problems[0] ?? '') }, printable(problems.join('\n')))
    }
  }
  return suite.end({ pretty: true })
}

function printable(text: string): string {
  return text.replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd')
}
