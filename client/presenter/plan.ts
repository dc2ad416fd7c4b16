/**
 * Seconds planned for every slide. Slides without a pace of their own share evenly what the others leave of the talk.
 *
 * @param paces seconds for each slide, undefined where it has none
 * @param duration of the talk in seconds
 */
export function plan(paces: (number | undefined)[], duration: number): number[] {
  const given = paces.reduce<number>((sum, pace) => sum + (pace ?? 0), 0)
  const open = paces.filter((pace) => pace === undefined).length
  const share = Math.max(0, duration - given) / Math.max(1, open)
  return paces.map((pace) => pace ?? share)
}

/**
 * How far the speaker is from the plan.
 *
 * @param planned seconds for every slide
 * @param slide number of the current slide, from 1
 * @param passed seconds since the talk began
 * @returns seconds: positive is behind, negative is ahead, 0 is within what the plan gives this slide
 */
export function drift(planned: number[], slide: number, passed: number): number {
  const start = planned.slice(0, slide - 1).reduce((sum, length) => sum + length, 0)
  const end = start + (planned[slide - 1] ?? 0)
  return passed > end ? passed - end : passed < start ? passed - start : 0
}

/** `1:05` for 65 seconds. */
export function clock(length: number): string {
  const whole = Math.floor(Math.abs(length))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
