import { soak } from './soak-run.ts'

/** `npm run soak -- --minutes 60`: floods a session and prints how its memory grows. */
const at = process.argv.indexOf('--minutes')
const minutes = at < 0 ? 10 : Number(process.argv[at + 1])
if (!(minutes > 0)) {
  console.error('Say for how long: npm run soak -- --minutes 60')
  process.exit(1)
}
const { gigabytes, hours, perGigabyte, perHour, first, last } = await soak(minutes * 60, (line) => console.log(line))
console.log(
  `${gigabytes.toFixed(2)} GB in ${(hours * 60).toFixed(1)} minutes: memory ${first.toFixed(0)} to ${last.toFixed(0)} MiB, ` +
    `slope ${perGigabyte.toFixed(2)} MiB per GB, ${perHour.toFixed(1)} MiB per hour`,
)
