import type {} from '../../shared/video/renderer-bridge.ts'
import type { FilmEvent } from '../../shared/video/timeline.ts'

/**
 * The film's clock, put into a page before anything else of it runs. Nothing in the page moves by itself any more: timers, dates, animations and
 * transitions stand where the clock stands, and the renderer moves it from frame to frame. Two things stay as they were: timers that are
 * due at once, by which xterm.js parses its output, and the loading of files.
 */
export interface FilmClock {
  /** Waits until the slides can be turned: the page is there. @returns false where that takes longer, in real milliseconds */
  ready: (patience: number) => Promise<boolean>
  /** Hands over what is to happen, in the order of its times. */
  load: (events: FilmEvent[]) => void
  /**
   * Brings the page to where the film stands right before a time. In seconds.
   *
   * @param base what happened before it is taken as given, at once; what happened since happens again, each at its time
   */
  open: (base: number, to: number) => Promise<void>
  /** Goes to a slide, with everything on it at rest. */
  visit: (slide: number) => Promise<void>
  /**
   * Moves the clock from frame to frame, up to the first one that can differ from the one before.
   *
   * @param from the first frame to look at
   * @returns that frame, or `to`, where none before it differs
   */
  next: (from: number, to: number, fps: number) => Promise<number>
  /** What must not be in a film: a slide that is loading, a terminal that has not drawn what it holds. Undefined where all is well. */
  problem: () => string | undefined
  /** The text that can be read, of the slide and its terminals. */
  text: () => string
}

declare global {
  interface Window {
    understudyClock: FilmClock
  }
}

/** What is read of a terminal of xterm.js. */
interface TerminalLike {
  buffer: {
    active: {
      viewportY: number
      getLine: (row: number) =>
        | {
            length: number
            getCell: (
              column: number,
            ) => { getWidth: () => number; getChars: () => string; isInvisible: () => number } | undefined
          }
        | undefined
    }
  }
}

/** Where a page begins. */
export interface ClockStart {
  /** Milliseconds since 1970 at the film's first frame. */
  epoch: number
  /** Milliseconds of the film at which the page is loaded: negative, for what happens before it begins. */
  start: number
}

/** Runs in the page: it is sent there as text, so it uses nothing of this file. */
export function installClock({ epoch, start }: ClockStart): void {
  /** Shorter timers are real: the parser of a terminal yields by them. In milliseconds. */
  const AT_ONCE = 5
  /** What the page takes for the time since it was loaded must not be negative. */
  const LOADED = 3_600_000
  const MAX_ROUNDS = 200

  const realTimeout = window.setTimeout.bind(window)
  const realClear = window.clearTimeout.bind(window)
  const realFrame = window.requestAnimationFrame.bind(window)

  let now = start
  let nextId = 1_000_000_000
  const timers = new Map<number, { at: number; every: number | undefined; call: () => void }>()
  let frames = new Map<number, FrameRequestCallback>()

  const RealDate = Date
  const FilmDate = function (this: unknown, ...parts: []) {
    if (!new.target) return new RealDate(epoch + now).toString()
    return parts.length === 0 ? new RealDate(epoch + now) : new RealDate(...parts)
  } as unknown as DateConstructor
  Object.setPrototypeOf(FilmDate, RealDate)
  Object.defineProperty(FilmDate, 'prototype', { value: RealDate.prototype })
  FilmDate.now = () => epoch + now
  window.Date = FilmDate
  performance.now = () => LOADED + now

  const later = (call: unknown, delay: unknown, repeat: boolean, args: unknown[]): number => {
    const wait = Number(delay) || 0
    if (typeof call !== 'function') return 0
    const run = () => void (call as (...given: unknown[]) => void)(...args)
    if (wait < AT_ONCE && !repeat) return realTimeout(run, wait)
    const id = nextId++
    timers.set(id, { at: now + Math.max(1, wait), every: repeat ? Math.max(1, wait) : undefined, call: run })
    return id
  }
  const forget = (id: unknown) => {
    if (!timers.delete(Number(id))) realClear(Number(id))
  }
  Object.assign(window, {
    setTimeout: (call: unknown, delay?: unknown, ...args: unknown[]) => later(call, delay, false, args),
    setInterval: (call: unknown, delay?: unknown, ...args: unknown[]) => later(call, delay, true, args),
    clearTimeout: forget,
    clearInterval: forget,
    requestAnimationFrame: (call: FrameRequestCallback) => {
      frames.set(nextId, call)
      return nextId++
    },
    cancelAnimationFrame: (id: number) => void frames.delete(id),
    requestIdleCallback: (call: IdleRequestCallback) =>
      realTimeout(() => call({ didTimeout: false, timeRemaining: () => 10 }), 0),
    cancelIdleCallback: forget,
  })

  const problem = (error: unknown) => realTimeout(() => Promise.reject(error), 0)

  /** Moves the clock, and calls what is due on the way, each at its own time. */
  const move = (to: number) => {
    for (;;) {
      const due = [...timers]
        .filter(([, { at }]) => at <= to)
        .sort(([a, one], [b, other]) => one.at - other.at || a - b)[0]
      if (!due) break
      const [id, timer] = due
      now = Math.max(now, timer.at)
      if (timer.every === undefined) timers.delete(id)
      else timer.at += timer.every
      try {
        timer.call()
      } catch (error) {
        problem(error)
      }
    }
    now = to
  }

  const drawn = () => {
    const due = frames
    frames = new Map()
    for (const call of due.values())
      try {
        call(performance.now())
      } catch (error) {
        problem(error)
      }
    return due.size > 0
  }

  const begun = new WeakMap<Animation, number>()
  /** Puts every animation where the clock stands. A new one begins now. */
  const place = (finish: boolean): 'none' | 'moving' | 'ended' => {
    let state: 'none' | 'moving' | 'ended' = 'none'
    for (const animation of document.getAnimations()) {
      if (animation.playState === 'finished') continue
      let since = begun.get(animation)
      if (since === undefined) {
        since = now
        begun.set(animation, since)
        animation.pause()
      }
      const end = Number(animation.effect?.getComputedTiming().endTime ?? 0)
      if (now - since >= end || (finish && end !== Infinity)) {
        animation.finish()
        state = 'ended'
      } else {
        animation.currentTime = now - since
        if (state === 'none') state = 'moving'
      }
    }
    return state
  }

  let mutated = false
  const seen = (records: MutationRecord[]) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement
      // A slide that is hidden may do what it likes; the head is full of styles.
      if (!element || element.closest('head') || element === document.documentElement || element.checkVisibility())
        mutated = true
    }
  }
  const observer = new MutationObserver(seen)
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })

  const task = () => new Promise<void>((done) => realTimeout(done, 0))
  const realFrames = async (count: number) => {
    for (let each = 0; each < count; each++) await new Promise<void>((done) => realFrame(() => done()))
  }
  const loading = () =>
    (window.understudyFilm?.unparsed ?? 0) > 0 ||
    document.fonts.status === 'loading' ||
    [...document.images].some((image) => !image.complete && image.checkVisibility())

  /** Waits until nothing is to be done any more at this time. */
  const settle = async (thorough: boolean, finish = false) => {
    let calm = 0
    for (let round = 0; round < MAX_ROUNDS && calm < 2; round++) {
      await task()
      // A page that draws all the while is let draw, but not for ever.
      const busy = (drawn() && round < 8) || loading()
      const state = place(finish)
      // Ends of transitions are told with a frame, sizes too.
      if (state === 'ended' || (thorough && (!busy || loading()))) await realFrames(1)
      calm = busy || state === 'ended' ? 0 : calm + 1
    }
    seen(observer.takeRecords())
  }

  let events: FilmEvent[] = []
  let position = 0
  /** Lets happen what is due. @returns whether any of it may change more than the text of a terminal */
  const act = (upTo: number): boolean => {
    let large = false
    for (let event = events[position]; event && event.time * 1000 <= upTo; event = events[++position]) {
      move(Math.max(now, event.time * 1000))
      window.understudyFilm?.act?.(event)
      if (event.type !== 'output') large = true
    }
    move(Math.max(now, upTo))
    return large
  }

  const plain = (text: string) => text.replaceAll('\u00a0', ' ').trimEnd()

  let moving = false
  window.understudyClock = {
    async ready(patience) {
      const POLL = 20
      for (let waited = 0; waited < patience; waited += POLL) {
        if (window.understudyFilm?.extent) return true
        await new Promise<void>((done) => realTimeout(done, POLL))
      }
      return false
    },
    load(given) {
      events = given
      position = 0
    },
    async open(base, to) {
      for (let event = events[position]; event && event.time < base; event = events[++position])
        if (event.type !== 'show') window.understudyFilm?.act?.(event)
      // What waits for seconds, as the loading of the slides that are not shown, has its time.
      while (now < base * 1000) {
        move(Math.min(base * 1000, now + 1000))
        await settle(true, true)
      }
      for (let event = events[position]; event && event.time < to; event = events[position]) {
        move(Math.max(now, event.time * 1000))
        if (event.type !== 'output') await settle(true)
        const large = act(event.time * 1000)
        if (large) await settle(true)
      }
      move(Math.max(now, to * 1000))
      await settle(true)
      moving = place(false) === 'moving'
    },
    async visit(slide) {
      window.understudyFilm?.go?.(slide, 0)
      await settle(true, true)
      await settle(true, true)
    },
    async next(from, to, fps) {
      for (let frame = from; frame < to; frame++) {
        // A frame shows what happened up to its time; a hair more, for what computers make of fractions.
        const time = (frame / fps) * 1000 + 0.001
        const due =
          moving ||
          frames.size > 0 ||
          (events[position]?.time ?? Infinity) * 1000 <= time ||
          [...timers.values()].some(({ at }) => at <= time)
        if (!due) continue
        mutated = false
        const large = act(time)
        await settle(large)
        const moves = place(false) !== 'none'
        const differs = mutated || moves || moving
        moving = moves
        if (differs) return frame
      }
      return to
    },
    problem() {
      if (document.querySelector('.slidev-slide-loading, .slidev-loading')?.checkVisibility())
        return 'a slide is still loading'
      const broken = [...document.images].find(
        (image) => image.checkVisibility() && image.complete && image.naturalWidth === 0 && image.src !== '',
      )
      if (broken) return `the picture ${broken.src} cannot be shown`
      for (const box of document.querySelectorAll<HTMLElement & { terminal?: TerminalLike }>('[data-terminal]')) {
        if (!box.checkVisibility() || !box.terminal) continue
        const { active } = box.terminal.buffer
        for (const [row, drawn] of [...box.querySelectorAll('.xterm-rows > div')].entries()) {
          const line = active.getLine(active.viewportY + row)
          const held = Array.from({ length: line?.length ?? 0 }, (_, column) => line?.getCell(column))
            // The second half of a wide character has no width of its own.
            .map((cell) => (!cell || cell.getWidth() === 0 ? '' : cell.isInvisible() ? ' ' : cell.getChars() || ' '))
            .join('')
          if (plain(drawn.textContent ?? '') !== plain(held))
            return `terminal "${box.dataset.terminal ?? ''}" has not drawn its line ${row + 1}`
        }
      }
      return undefined
    },
    text: () =>
      [...document.querySelectorAll<HTMLElement>('.slidev-page')]
        .filter((page) => page.checkVisibility())
        .map((page) => page.innerText.replaceAll('\u00a0', ' '))
        .join('\n'),
  }
}
