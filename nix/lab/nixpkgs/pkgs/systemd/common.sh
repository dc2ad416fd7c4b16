PATH=@busybox@/bin
unit_files=/etc/systemd/system
states=/run/systemd/units
journal=/run/log/journal
supervise=@out@/lib/systemd/supervise

# "nginx" means nginx.service.
full_name() {
  case $1 in
    *.*) echo "$1" ;;
    *) echo "$1.service" ;;
  esac
}

# The state of a unit is one file of Key=Value lines, written at once.
set_state() { # unit active-state sub-state [Key=Value...]
  local unit=$1
  local active=$2
  local sub=$3
  shift 3
  printf '%s\n' "ActiveState=$active" "SubState=$sub" "$@" > "$states/$unit"
}

# Sets the variable `value`.
get_state() { # unit key
  local line
  value=
  [ -e "$states/$1" ] || return 0
  while read -r line; do
    [ "${line%%=*}" != "$2" ] || value=${line#*=}
  done < "$states/$1"
}

# Sets the variable `active`. A file without a line is just being written.
get_active() { # unit
  active=inactive
  [ -e "$states/$1" ] || return 0
  while ! read -r active < "$states/$1"; do
    usleep 1000
  done
  active=${active#*=}
}

# Waits until a unit is no longer about to start, at most so many seconds.
wait_for_start() { # unit seconds
  local tries=0
  while [ $tries -lt $(($2 * 20)) ]; do
    get_active "$1"
    [ "$active" = activating ] || return 0
    get_state "$1" SubState
    [ "$value" != auto-restart ] || return 0
    usleep 50000
    tries=$((tries + 1))
  done
  return 1
}

# Starts a unit in the background. What it prints goes to the journal.
launch() { # unit
  set_state "$1" activating start-pre
  (setsid "$supervise" "$1" < /dev/null 2>&1 | to_journal "${1%.service}") > /dev/null 2>&1 &
}

to_journal() { # identifier, lines on stdin
  local line
  local console=/dev/null
  ! grep -qs ForwardToConsole=yes /etc/systemd/journald.conf || console=/dev/console
  while IFS= read -r line || [ -n "$line" ]; do
    echo "$(date '+%b %d %H:%M:%S') $(hostname) $1: $line" >> "$journal"
    echo "$1: $line" > $console
  done
}
