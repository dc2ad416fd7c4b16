import type { WebSocket } from 'ws'
import type { Diagnosis } from '../../shared/diagnosis.ts'
import type { Room } from './room.ts'
import { Rate } from './rate-limiter.ts'
import { type Access, notAllowed, seesSecrets } from '../../shared/roles.ts'
import { RefusedError } from '../steps/stage.ts'
import type { Classroom } from '../workshop/classroom.ts'
import type { WorkshopClientMessage } from '../../shared/protocol/workshop.ts'
import { answerLearner } from '../workshop/requests.ts'
import {
  CLOSE,
  type ClientMessage,
  clientMessage,
  encodeFrame,
  type ServerMessage,
} from '../../shared/protocol/talk.ts'

/** What one window's connection needs to know. */
export interface SocketContext {
  /** Where the window is: whose stage it shows. */
  room: Room
  /** What this window may do. */
  access: Access
  hello: () => ServerMessage
  /** Of a workshop with several learners. */
  classroom?: Classroom | undefined
  /** Has the doctor look at this machine. */
  diagnose: () => Promise<Diagnosis>
}

/** A terminal as one window shows it. */
interface View {
  /** Of its last snapshot. */
  channel: number | undefined
  detach: () => void
  ack: (channel: number, bytes: number) => void
}

/** Serves one window: parses what it sends, at this border once, and carries it out. */
export function serveSocket(socket: WebSocket, { room, access, classroom, hello, diagnose }: SocketContext): void {
  const { stage } = room
  const rate = new Rate(socket, (message) => carryOut(message))
  const views = new Map<string, View>()
  /** Terminals that the window asked for, also while their shell starts, and whether it shows the secrets in them. */
  const wanted = new Map<string, { secrets: boolean }>()

  const send = (message: ServerMessage) => {
    if (socket.readyState === socket.OPEN) socket.send(room.encode(message))
  }
  send(hello())

  const attach = async (terminal: string, seen: { secrets: boolean }) => {
    if (wanted.has(terminal)) return
    wanted.set(terminal, seen)
    await watch(terminal)
  }
  /** Who only looks starts nothing: it waits for the shell that somebody else starts. */
  const mayStart = access.permissions.includes('run')
  const onTerminal = (terminal: string) => {
    if (wanted.has(terminal) && !views.has(terminal)) watch(terminal).catch(refuse({ type: 'attach', terminal }))
  }
  if (!mayStart) stage.on('terminal', onTerminal)

  const watch = async (terminal: string) => {
    if (!mayStart && stage.isTerminal(terminal) && !stage.current(terminal) && !stage.replaying(terminal)) return
    const seen = wanted.get(terminal)
    if (!seen) return
    const source = await stage.watchable(terminal, seen)
    if (wanted.get(terminal) !== seen || views.has(terminal) || socket.readyState !== socket.OPEN) return
    // A replay began, or ended, while the shell started.
    if (source !== (await stage.watchable(terminal, seen))) return watch(terminal)
    if (!wanted.has(terminal) || views.has(terminal)) return
    const handle = source.attach({
      snapshot: (channel, cols, rows, data) => {
        view.channel = channel
        send({ type: 'snapshot', terminal, channel, cols, rows, data })
      },
      output: (channel, bytes) => {
        if (socket.readyState === socket.OPEN) socket.send(encodeFrame(channel, bytes))
      },
      buffered: () => socket.bufferedAmount,
    })
    const view: View = {
      channel: undefined,
      detach: () => source.detach(handle),
      ack: (channel, bytes) => source.ack(channel, bytes),
    }
    views.set(terminal, view)
  }
  const detach = (terminal: string) => {
    wanted.delete(terminal)
    views.get(terminal)?.detach()
    views.delete(terminal)
  }

  const handle = async (message: ClientMessage): Promise<void> => {
    switch (message.type) {
      case 'attach':
        return attach(message.terminal, { secrets: message.secrets === true && seesSecrets(access) })
      case 'detach':
        return detach(message.terminal)
      case 'ack':
        // Its own only: a window does not speak for what another one has parsed.
        for (const { channel, ack } of views.values()) if (channel === message.channel) ack(channel, message.bytes)
        return
      case 'input':
        // Nobody types blindly behind a replay.
        return stage.replaying(message.terminal) ? undefined : stage.current(message.terminal)?.write(message.data)
      case 'run':
        return void (await stage.run(message))
      case 'interrupt':
        return stage.interrupt(message.terminal)
      case 'restart':
        return stage.restart(message.terminal)
      case 'reset-stage':
        return stage.reset()
      case 'replay':
        return replay(message.step, message.on)
      case 'playback':
        return stage.playback(message)
      case 'diagnose':
        return send({ type: 'diagnosis', diagnosis: await diagnose() })
      case 'sync':
        return room.onSync(socket, access, message.channel, message.state)
      case 'turn':
        return room.onTurn(message.by)
      case 'send-note':
      case 'ask-join':
      case 'leave-join':
      case 'end-terminals':
      case 'reset-learner':
      case 'answer-join':
      case 'read-notes':
        if (!classroom)
          throw new RefusedError(
            'failed',
            'This workshop is for one learner: it is no class. A class is opened by npm run workshop -- --learners',
          )
        return classroom.handle(message, access.learner)
      default:
        return learn(message)
    }
  }

  const learn = async (message: WorkshopClientMessage): Promise<void> => {
    if (!room.course) throw new RefusedError('failed', 'This is a talk and no workshop: npm run workshop opens one.')
    const answer = await answerLearner(room.course, message)
    if (answer) send(answer)
  }

  const replay = async (step: string, on: boolean): Promise<void> => {
    if (!on) return stage.showLive(stage.steps().find(({ id }) => id === step)?.terminal ?? '')
    if (!(await stage.showReplay(step)))
      throw new RefusedError('no-recording', `Step "${step}" has no recording yet: npm run rehearse -- ${step}`)
  }
  // The terminal shows something else from now on, in every window.
  const onReplay = (terminal: string, _: unknown, source: boolean) => {
    if (!source || !wanted.has(terminal)) return
    views.get(terminal)?.detach()
    views.delete(terminal)
    watch(terminal).catch(refuse({ type: 'attach', terminal }))
  }
  stage.on('replay', onReplay)

  // A reset makes new sessions: the window is attached to them, without asking again.
  const onReset = () => {
    views.clear()
    const again = [...wanted]
    wanted.clear()
    send({ type: 'stage-reset' })
    for (const [terminal, seen] of again) attach(terminal, seen).catch(refuse({ type: 'attach', terminal }))
  }
  stage.on('reset', onReset)

  const refuse = (message: ClientMessage) => (error: unknown) => {
    if (message.type === 'attach') wanted.delete(message.terminal)
    send({
      type: 'refused',
      reason: error instanceof RefusedError ? error.reason : 'failed',
      ...('step' in message && { step: message.step }),
      ...('terminal' in message && { terminal: message.terminal }),
      ...('task' in message && message.task !== undefined && { task: message.task }),
      ...('path' in message && { path: message.path }),
      message: error instanceof Error ? error.message : String(error),
    })
  }

  /** The one place where permissions are asked for: whatever a page sends, nothing gets past it. */
  const carryOut = (message: ClientMessage) => {
    const forbidden = notAllowed(access, message)
    if (forbidden === undefined) handle(message).catch(refuse(message))
    else refuse(message)(new RefusedError('not-allowed', forbidden))
  }

  socket.on('message', (data, isBinary) => {
    // What came right behind a malformed message: the window is not to be understood any more.
    if (socket.readyState !== socket.OPEN) return
    const message = isBinary ? undefined : parse(String(data))
    if (message) rate.take(message)
    else socket.close(CLOSE.malformed, 'That message is not of the protocol. Reload the page.')
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    stage.off('terminal', onTerminal)
    stage.off('reset', onReset)
    stage.off('replay', onReplay)
    for (const terminal of [...wanted.keys()]) detach(terminal)
  })
}

function parse(text: string): ClientMessage | undefined {
  try {
    return clientMessage.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
