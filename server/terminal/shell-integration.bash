# Sourced once by every shell of a session. With marks in the output (OSC 133, as defined by FinalTerm), it reports the
# start (A) and the end (B) of a prompt, the start of a command's output (C), and the exit status of a command (D). Two
# marks are extensions: the continuation prompt of an incomplete entry (S), and the confirmation that the line was
# cleared (L). Each mark carries the session's secret, so that no program can forge one. The secret is not exported.

unset HISTFILE MAILCHECK
# Disables history expansion: a "!" in a step is part of the command.
set +H

__understudy_mark() {
  # `set -x` would print the secret.
  { local -; set +x; } 2>/dev/null
  printf '\e]133;%s;k=%s\a' "$1" "$__understudy_secret"
}

# The marks in prompts are variables: a Ctrl-C during a command substitution would end the substitution, and the mark
# would be lost. They are not exported, so that the prompt of a nested shell contains none.
for __understudy_kind in B C S; do
  printf -v "__understudy_$__understudy_kind" '\e]133;%s;k=%s\a' "$__understudy_kind" "$__understudy_secret"
done
unset __understudy_kind

__understudy_prompt() {
  local exit=$?
  { local -; set +x; } 2>/dev/null
  # Sent at every prompt, because a command with a syntax error ends without the mark C.
  __understudy_mark "D;$exit"
  __understudy_mark A
  # Restores the marks if the user has set a prompt without them.
  [[ $PS1 == *'$__understudy_B'* ]] || PS1+='\[$__understudy_B\]'
  [[ $PS2 == *'$__understudy_S'* ]] || PS2+='\[$__understudy_S\]'
  [[ $PS0 == *'$__understudy_C'* ]] || PS0+='$__understudy_C'
  return "$exit"
}

# Clears the line. Bound to a key sequence that no keyboard sends: the server sends it before it types a step. The mark
# follows when the shell has read everything that was typed before.
__understudy_clear() {
  { local -; set +x; } 2>/dev/null
  READLINE_LINE=
  READLINE_POINT=0
  __understudy_mark L
}
for __understudy_keymap in emacs vi-insert vi-command; do
  bind -m "$__understudy_keymap" -x '"\e[9133~": __understudy_clear'
done
unset __understudy_keymap

PROMPT_COMMAND=__understudy_prompt
PS0=
PS1='\[\e[1;34m\]\W\[\e[0m\] \[\e[1;32m\]❯\[\e[0m\] '
PS2='\[\e[1;32m\]…\[\e[0m\] '
