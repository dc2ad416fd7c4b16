# Read once by every shell of a session. Tells the server, by marks in the output (OSC 133, as FinalTerm defined them), where a
# prompt begins (A) and ends (B), where a command's output begins (C), and with which exit status it ended (D).
# Each mark carries the secret of the session, so that no program can forge one. The secret is not exported.

unset HISTFILE
__understudy_running=
__understudy_none=.

__understudy_mark() {
  printf '\e]133;%s;k=%s\a' "$1" "$__understudy_secret"
}

__understudy_prompt() {
  local exit=$?
  [[ $__understudy_running ]] && __understudy_mark "D;$exit"
  __understudy_running=
  __understudy_mark A
  return "$exit"
}

PROMPT_COMMAND=__understudy_prompt
# PS0 is expanded by the shell itself before each command; the arithmetic notes that one runs, and expands to nothing.
PS0='${__understudy_none:$((__understudy_running = 1)):0}$(__understudy_mark C)'
PS1='\[\e[1;34m\]\W\[\e[0m\] \[\e[1;32m\]❯\[\e[0m\] \[$(__understudy_mark B)\]'
PS2='\[\e[1;32m\]…\[\e[0m\] '
