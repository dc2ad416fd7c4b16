PATH=@busybox@/bin
unit_files=/etc/systemd/system
states=/run/systemd/units
journal=/run/log/journal
supervise=@out@/lib/systemd/supervise

# Appends .service to names without a suffix.
full_name() {
  case $1 in
    *.*) echo "$1" ;;
    *) echo "$1.service" ;;
  esac
}

# Writes the state file of a unit, which consists of Key=Value lines.
set_state() { # unit active-state sub-state [Key=Value...]
  local unit=$1
  local active=$2
  local sub=$3
  shift 3
  printf '%s\n' "ActiveState=$active" "SubState=$sub" "$@" > "$states/$unit"
}

# Sets the variable `value` to one value in the state of a unit.
get_state() { # unit key
  local line
  value=
  [ -e "$states/$1" ] || return 0
  while read -r line; do
    [ "${line%%=*}" != "$2" ] || value=${line#*=}
  done < "$states/$1"
}

# Sets the variable `active`. Waits while the state file is empty, because it is
# being written.
get_active() { # unit
  active=inactive
  [ -e "$states/$1" ] || return 0
  while ! read -r active < "$states/$1"; do
    usleep 1000
  done
  active=${active#*=}
}

# Waits until a unit is no longer starting. Fails after a timeout.
wait_for_start() { # unit, timeout in seconds
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

# Starts a unit in the background. Its output goes to the journal.
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
