# systemctl COMMAND [UNIT...]
PATH=@out@/bin:$PATH

describe() { # unit
  sed -n 's/^Description=//p' "$unit_files/$1" 2> /dev/null
}

exists() { # unit
  [ -e "$unit_files/$1" ] || [ -e "$states/$1" ]
}

require() { # unit
  exists "$1" && return
  echo "Unit $1 could not be found." >&2
  exit 4
}

start() { # unit
  if ! exists "$1"; then
    echo "Failed to start $1: Unit $1 not found." >&2
    return 5
  fi
  get_active "$1"
  case $1:$active in
    *.target:* | *:active) return 0 ;;
  esac
  rm -f "$states/.stopping-$1"
  launch "$1"
  wait_for_start "$1" 60
  get_active "$1"
  [ "$active" = failed ] || return 0
  echo "Job for $1 failed because the control process exited with error code." >&2
  echo "See \"systemctl status $1\" and \"journalctl -xeu $1\" for details." >&2
  return 1
}

stop() { # unit
  local tries=0
  require "$1"
  touch "$states/.stopping-$1"
  get_state "$1" MainPID
  local pid=$value
  [ -z "$pid" ] || kill "$pid" 2> /dev/null
  while [ -n "$pid" ] && [ -d "/proc/$pid" ]; do
    [ $tries != 100 ] || kill -9 "$pid"
    tries=$((tries + 1))
    usleep 50000
  done
  set_state "$1" inactive dead Result=success
}

reload() { # unit
  get_state "$1" MainPID
  [ -n "$value" ] && kill -HUP "$value"
}

restart() { # unit
  stop "$1"
  start "$1"
}

status() { # unit
  require "$1"
  get_active "$1"
  get_state "$1" SubState
  local sub=${value:-dead}
  get_state "$1" MainPID
  local pid=$value
  case $active in
    active)
      get_state "$1" Since
      local mark=●
      local line="active ($sub)${value:+ since $value}"
      ;;
    failed)
      get_state "$1" Result
      local mark=×
      local line="failed (Result: $value)"
      ;;
    *)
      local mark=○
      local line="$active ($sub)"
      ;;
  esac
  echo "$mark $1 - $(describe "$1")"
  echo "     Loaded: loaded ($unit_files/$1; enabled)"
  echo "     Active: $line"
  [ -z "$pid" ] || echo "   Main PID: $pid ($(cat "/proc/$pid/comm"))"
  echo
  journalctl -u "$1" -n 10
  [ "$active" = active ] || return 3
}

show() { # unit
  local loaded=loaded
  exists "$1" || loaded=not-found
  echo "Id=$1"
  echo "LoadState=$loaded"
  if [ -e "$states/$1" ]; then
    cat "$states/$1"
  else
    printf '%s\n' ActiveState=inactive SubState=dead
  fi
  get_state "$1" MainPID
  [ -n "$value" ] || echo MainPID=0
}

list_units() { # state, or nothing for all units
  local file
  local unit
  printf '  %-28s %-10s %-10s %s\n' UNIT ACTIVE SUB DESCRIPTION
  for file in "$states"/*; do
    unit=${file##*/}
    get_active "$unit"
    get_state "$unit" SubState
    [ -z "$1" ] || [ "$1" = "$active" ] || continue
    printf '  %-28s %-10s %-10s %s\n' "$unit" "$active" "$value" "$(describe "$unit")"
  done
}

command=
units=
property=
only=
while [ $# -gt 0 ]; do
  case $1 in
    --failed) only=failed ;;
    -p | --property) property=$2 && shift ;;
    -p*) property=${1#-p} ;;
    --property=*) property=${1#*=} ;;
    -*) ;;
    *) if [ -z "$command" ]; then command=$1; else units="$units $(full_name "$1")"; fi ;;
  esac
  shift
done

case ${command:-list-units} in
  start | stop | reload | restart | status)
    result=0
    for unit in $units; do
      "$command" "$unit" || result=$?
    done
    exit $result
    ;;
  cat)
    for unit in $units; do
      require "$unit"
      echo "# $unit_files/$unit"
      cat "$unit_files/$unit"
    done
    ;;
  show) for unit in $units; do show "$unit" | grep "^${property:+$property=}"; done ;;
  is-active | is-failed)
    get_active ${units# }
    echo "$active"
    [ "$active" = "${command#is-}" ] || exit 3
    ;;
  list-units | list-unit-files) list_units "$only" ;;
  list-jobs) echo "No jobs running." ;;
  stop-all)
    for file in "$states"/*.service; do
      stop "${file##*/}"
    done
    ;;
  poweroff | reboot | halt) exec "$command" ;;
  daemon-reload) ;;
  *)
    echo "The lab's systemctl does not support '$command'." >&2
    exit 1
    ;;
esac
