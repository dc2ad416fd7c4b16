import { EventEmitter } from 'node:events'
import type { RunMeasures, StepInfo, StepStatus } from '../../shared/protocol/state.ts'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import type { RecordingInfo } from '../recording/recordings.ts'

type StepBoardEvents = {
  status: [step: string, status: StepStatus]
  /** A step has succeeded, with these measurements. */
  measured: [step: string, measured: RunMeasures]
}

/** The status and the measurements of every step. */
export class StepBoard extends EventEmitter<StepBoardEvents> {
  private readonly statuses = new Map<string, StepStatus>()
  /** The hash of the command of each step's last run. */
  private readonly commands = new Map<string, string>()
  private readonly measures = new Map<string, RunMeasures>()

  constructor() {
    super()
    // One listener per window.
    this.setMaxListeners(0)
  }

  status(step: string): StepStatus {
    return this.statuses.get(step) ?? { state: 'idle' }
  }

  setStatus(step: string, status: StepStatus): void {
    this.statuses.set(step, status)
    this.emit('status', step, status)
  }

  /** Notes that a run of a step begins, with the hash of its command. */
  noteRun({ id, hash }: Pick<Step, 'id' | 'hash'>): void {
    this.commands.set(id, hash)
  }

  setMeasured(step: string, measured: RunMeasures): void {
    this.measures.set(step, measured)
    this.emit('measured', step, measured)
  }

  /** Resets all statuses to idle. The measurements of this talk are kept. */
  clear(): void {
    this.statuses.clear()
    this.commands.clear()
  }

  /** The state of every step of a deck, in the form of the protocol. */
  list(deck: Pick<Deck, 'steps'>, recordingOf: (step: string) => RecordingInfo | undefined): StepInfo[] {
    return [...deck.steps.values()].map((step) => this.info(step, recordingOf(step.id)))
  }

  private info({ id, slide, slides, terminal, hash, contract }: Step, recording: RecordingInfo | undefined): StepInfo {
    const measured = this.measures.get(id)
    const changed = (this.commands.get(id) ?? hash) !== hash
    return {
      id,
      slide,
      ...(slides.length > 1 && { slides: [...slides] }),
      terminal,
      hash,
      inputs: contract.inputs,
      ...(contract.confirm && { confirm: contract.confirm }),
      ...(contract.ready && 'http' in contract.ready && { page: contract.ready.http }),
      ...(recording && { recording }),
      ...(measured && { measured }),
      ...(changed && { changed }),
      status: this.status(id),
    }
  }
}
