import { onScopeDispose, shallowReactive, watch } from 'vue'
import { connection } from './store.ts'

/**
 * The steps, terminals and pages on the visible slide. Their components register themselves here, so that keys, the
 * clicker and the remote control act on state instead of searching the page.
 */

/** A step on a slide, with the state that its component keeps. */
export interface StepOnSlide {
  readonly id: string
  /** SHA-256 of the command that the slide shows, hex. */
  readonly hash: string
  /** The command as plain text. */
  readonly command: string
  /** Whether the deck lets "next" run the steps of this slide. */
  readonly runOnNext: boolean
  readonly form: StepForm
  /** Whether a run was requested and no status has arrived since. */
  pending: boolean
  /** Whether the command has just been copied. */
  copied: boolean
}

/** The values to fill in before a step runs. */
export interface StepForm {
  /** Whether the form asks for the confirmation. */
  confirming: boolean
  inputs: Record<string, string>
  confirmation: string
}

interface TerminalOnSlide {
  readonly name: string
  readonly focus: () => void
}

/** The page that a step serves, by the step's id. */
interface PageOnSlide {
  readonly step: string
}

const steps = shallowReactive(new Set<StepOnSlide>())
const terminals = shallowReactive(new Set<TerminalOnSlide>())
const pages = shallowReactive(new Set<PageOnSlide>())

/** Keeps an entry in a set while a condition holds, and until the component is unmounted. */
function registerWhile<Entry>(set: Set<Entry>, entry: Entry, isVisible: () => boolean): void {
  watch(isVisible, (visible) => (visible ? set.add(entry) : set.delete(entry)), { immediate: true })
  onScopeDispose(() => set.delete(entry))
}

/** Registers a step for as long as its slide is on the screen. */
export function registerStep(step: StepOnSlide, isVisible: () => boolean): void {
  registerWhile(steps, step, isVisible)
}

/** Registers a terminal for as long as it is on the screen. */
export function registerTerminal(terminal: TerminalOnSlide, isVisible: () => boolean): void {
  registerWhile(terminals, terminal, isVisible)
}

/** Registers the page of a step for as long as its slide is on the screen. */
export function registerPage(page: PageOnSlide, isVisible: () => boolean): void {
  registerWhile(pages, page, isVisible)
}

/** The steps of the visible slide, in the order of the deck. */
export function visibleSteps(): StepOnSlide[] {
  const order = Object.keys(connection.steps)
  return [...steps].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
}

export function visibleTerminals(): TerminalOnSlide[] {
  return [...terminals]
}

export function visiblePages(): PageOnSlide[] {
  return [...pages]
}
