import type { z } from 'zod'
import type { ClassInfo, classClientMessages, Join } from '../../shared/protocol/class.ts'
import type { ServerMessage } from '../../shared/protocol/talk.ts'
import { access, type Permission } from '../../shared/roles.ts'
import type { Deck } from '../deck/deck.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { Learner } from './learner.ts'
import type { ClassSubscriber, LearnerWindows } from './learner-windows.ts'

export type ClassMessage = z.infer<(typeof classClientMessages)[keyof typeof classClientMessages]>

interface Member {
  learner: Learner
  windows: LearnerWindows
  link: string
  join: Join
  notes: { text: string; at: number }[]
}

/** Unread notes that are kept for a learner; older ones are dropped. */
const MAX_NOTES = 20
/** Changes within this time are sent to the instructors as one message. */
const UPDATE_INTERVAL_MS = 100

/**
 * Several learners and their instructors: progress of each learner, notes, and typing in a learner's terminals with
 * consent.
 */
export class Classroom {
  private readonly members = new Map<string, Member>()
  private readonly subscribers = new Set<ClassSubscriber>()
  private deck: Deck
  private timer: NodeJS.Timeout | undefined

  /** @param learners `link` gives access as that learner */
  constructor(deck: Deck, learners: { learner: Learner; windows: LearnerWindows; link: string }[]) {
    this.deck = deck
    for (const { learner, windows, link } of learners) {
      const member: Member = { learner, windows, link, join: 'none', notes: [] }
      this.members.set(learner.name, member)
      learner.course.on('message', ({ type }) => {
        if (type === 'task' || type === 'activity') this.scheduleUpdate()
      })
      learner.stage.terminals.on('state', () => this.scheduleUpdate())
      windows.onChange(() => {
        this.scheduleUpdate()
        // The consent ends with the learner's last window.
        if (windows.count() === 0) this.setJoin(member, 'none')
      })
    }
  }

  useDeck(deck: Deck): void {
    this.deck = deck
    this.scheduleUpdate()
  }

  /**
   * Sends the class to an instructor's window, now and whenever it changes.
   *
   * @returns a function that ends the subscription
   */
  subscribe(subscriber: ClassSubscriber): () => void {
    this.subscribers.add(subscriber)
    subscriber.send(this.classMessage())
    return () => void this.subscribers.delete(subscriber)
  }

  close(): void {
    clearTimeout(this.timer)
  }

  /** @returns the first class message for a window that shows a learner's stage; undefined for an unknown learner */
  membership(name: string): ServerMessage | undefined {
    const member = this.members.get(name)
    return member && { type: 'membership', membership: { join: member.join, notes: member.notes } }
  }

  /** Whether an instructor may type in the terminals of a learner. */
  joined(name: string): boolean {
    return this.members.get(name)?.join === 'joined'
  }

  /**
   * Handles a request of a window.
   *
   * @param from name of the learner whose window sent it
   * @throws RefusedError
   */
  async handle(message: ClassMessage, from: string | undefined): Promise<void> {
    switch (message.type) {
      case 'send-note': {
        const member = this.member(message.learner)
        member.notes = [...member.notes, { text: message.text, at: Date.now() }].slice(-MAX_NOTES)
        return this.sendMembership(member)
      }
      case 'ask-join': {
        const member = this.member(message.learner)
        if (member.windows.count() === 0) throw new RefusedError({ kind: 'learner-offline', learner: message.learner })
        return member.join === 'none' ? this.setJoin(member, 'asked') : undefined
      }
      case 'leave-join':
        return this.setJoin(this.member(message.learner), 'none')
      case 'end-terminals':
        return endTerminals(this.member(message.learner).learner)
      case 'reset-learner': {
        const { learner } = this.member(message.learner)
        await learner.stage.reset()
        return this.scheduleUpdate()
      }
      case 'answer-join': {
        const member = this.member(from ?? '')
        if (message.agree && member.join === 'none') throw new RefusedError({ kind: 'join-not-requested' })
        return this.setJoin(member, message.agree ? 'joined' : 'none')
      }
      case 'read-notes': {
        const member = this.member(from ?? '')
        member.notes = []
        return this.sendMembership(member)
      }
    }
  }

  private member(name: string): Member {
    const member = this.members.get(name)
    if (!member) throw new RefusedError({ kind: 'unknown-learner', learner: name })
    return member
  }

  private setJoin(member: Member, join: Join): void {
    if (member.join === join) return
    const permissionsChange = member.join === 'joined' || join === 'joined'
    member.join = join
    if (permissionsChange) member.windows.setInstructorPermissions(instructorPermissions(join === 'joined'))
    this.sendMembership(member)
    this.scheduleUpdate()
  }

  private sendMembership({ learner, windows }: Member): void {
    const message = this.membership(learner.name)
    if (message) windows.broadcast(message)
  }

  private scheduleUpdate(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      const message = this.classMessage()
      for (const subscriber of this.subscribers) subscriber.send(message)
    }, UPDATE_INTERVAL_MS)
  }

  private classMessage(): ServerMessage {
    const tasks = [...this.deck.tasks.values()].map(({ id, title, slide }) => ({ id, title, slide }))
    const learners = [...this.members.values()].map(
      ({ learner, windows, link, join }): ClassInfo['learners'][number] => {
        const { tasks, activity } = learner.course.info()
        return {
          name: learner.name,
          link,
          windows: windows.count(),
          states: Object.fromEntries(tasks.map(({ id, progress }) => [id, progress.state])),
          activity,
          busy: learner.stage.terminals
            .list()
            .filter(({ state }) => state.state === 'busy')
            .map(({ name }) => name),
          join,
        }
      },
    )
    return { type: 'class', class: { tasks, learners } }
  }
}

async function endTerminals({ stage }: Learner): Promise<void> {
  const started = stage.terminals.list().filter(({ state }) => state.state !== 'new')
  await Promise.all(started.map(async ({ name }) => stage.terminals.get(name)?.restart()))
}

/**
 * @returns the permissions of an instructor's window that shows a learner; with the learner's consent, these include
 * typing and running steps
 */
export function instructorPermissions(joined: boolean): readonly Permission[] {
  return [...access('instructor').permissions, ...(joined ? (['type', 'run'] as const) : [])]
}
