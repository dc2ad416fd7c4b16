/** A prompt and the command after it, as in a transcript of a terminal. */
const PROMPT = /^\s*\$(?: (.*))?$/
/** The shell's prompt for the next line of a command, and that line. */
const CONTINUATION_PROMPT = /^\s*> ?(.*)$/

/** Whether a line begins with a prompt. */
export function hasPrompt(line: string): boolean {
  return /^\s*\$ \S/.test(line)
}

/**
 * Extracts the commands from the transcript of a terminal.
 *
 * @param transcript commands after the prompt `$ `, and their output
 * @returns the commands, one after the other; the whole text if it contains no prompt
 */
export function commandsOfTranscript(transcript: string): string {
  const lines = transcript.split('\n')
  if (!lines.some(hasPrompt)) return transcript

  const commands: string[] = []
  let command: string[] = []
  /** Whether the previous line began with the prompt `> `. */
  let isContinued = false
  for (const line of lines) {
    const prompt = PROMPT.exec(line)
    const continuation = CONTINUATION_PROMPT.exec(line)
    const isIncomplete = command.length > 0 && isIncompleteCommand(command)
    if (isIncomplete) command.push(continuation?.[1] ?? line)
    else if (prompt) {
      commands.push(...command)
      command = [prompt[1] ?? '']
    } else if (isContinued && continuation) command.push(continuation[1] ?? '')
    else {
      commands.push(...command)
      command = []
    }
    isContinued = continuation !== null && command.length > 1
  }
  return [...commands, ...command].join('\n')
}

/** Whether the shell would wait for another line: an approximation for the common cases. */
function isIncompleteCommand(lines: readonly string[]): boolean {
  const last = lines.at(-1) ?? ''
  if (/(^|[^\\])(\\\\)*\\$/.test(last)) return true
  if (/(\||&&|[({]|(^|[\s;])(do|then|else))\s*$/.test(last)) return true
  const command = lines.join('\n')
  const end = /<<-?\s*(['"]?)(\w+)\1/.exec(command)?.[2]
  if (end !== undefined) return !lines.some((line, index) => index > 0 && line.trim() === end)
  const unquoted = command.replace(/\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"/g, '')
  return /['"]/.test(unquoted)
}
