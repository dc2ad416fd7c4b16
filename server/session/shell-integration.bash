# Read once by every shell of a session. Tells the server, by marks in the output (OSC 133, as FinalTerm defined them), where a
# prompt begins (A) and ends (B), where a command's output begins (C), and with which exit status it ended (D).
# Each mark carries the secret of the session, so that no program can forge one. The secret is not exported.

unset HISTFILE MAILCHECK
# A "!" in a step is the command's own.
set +H

__understudy_mark() {
  # `set -x` would show the secret.
  { local -; set +x; } 2>/dev/null
  printf '\e]133;%s;k=%s\a' "$1" "$__understudy_secret"
}

__understudy_prompt() {
  local exit=$?
  { local -; set +x; } 2>/dev/null
  # At every prompt: a command with a syntax error ends too, and never began.
  __understudy_mark "D;$exit"
  __understudy_mark A
  # Who sets a prompt of their own loses its marks: they are put back.
  [[ $PS1 == *'$(__understudy_mark B)'* ]] || PS1+='\[$(__understudy_mark B)\]'
  [[ $PS0 == *'$(__understudy_mark C)'* ]] || PS0+='$(__understudy_mark C)'
  return "$exit"
}

PROMPT_COMMAND=__understudy_prompt
PS0=
PS1='\[\e[1;34m\]\W\[\e[0m\] \[\e[1;32m\]❯\[\e[0m\] '
PS2='\[\e[1;32m\]…\[\e[0m\] '
