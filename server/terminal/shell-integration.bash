# Read once by every shell of a session. Tells the server, by marks in the output (OSC 133, as FinalTerm defined them), where a
# prompt begins (A) and ends (B), where a command's output begins (C), and with which exit status it ended (D). Two marks are our
# own: an entry goes on in another line (S), and the line was emptied (L).
# Each mark carries the secret of the session, so that no program can forge one. The secret is not exported.

unset HISTFILE MAILCHECK
# A "!" in a step is the command's own.
set +H

__understudy_mark() {
  # `set -x` would show the secret.
  { local -; set +x; } 2>/dev/null
  printf '\e]133;%s;k=%s\a' "$1" "$__understudy_secret"
}

# The marks of the prompts are variables: a Ctrl-C that comes just then would end a command substitution, and with it the mark.
# Not exported, so that the prompt of a nested shell has none.
for __understudy_kind in B C S; do
  printf -v "__understudy_$__understudy_kind" '\e]133;%s;k=%s\a' "$__understudy_kind" "$__understudy_secret"
done
unset __understudy_kind

__understudy_prompt() {
  local exit=$?
  { local -; set +x; } 2>/dev/null
  # At every prompt: a command with a syntax error ends too, and never began.
  __understudy_mark "D;$exit"
  __understudy_mark A
  # Who sets a prompt of their own loses its marks: they are put back.
  [[ $PS1 == *'$__understudy_B'* ]] || PS1+='\[$__understudy_B\]'
  [[ $PS2 == *'$__understudy_S'* ]] || PS2+='\[$__understudy_S\]'
  [[ $PS0 == *'$__understudy_C'* ]] || PS0+='$__understudy_C'
  return "$exit"
}

# Bound to a key that no keyboard has: the server presses it before it types a step. The answer comes when the shell has read
# everything that was typed before.
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
