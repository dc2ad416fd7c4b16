# supervise UNIT: runs a unit according to its file, and updates its state until
# its main process ends.
unit=$1

# Sets a variable for each setting in the file, for example unit_ExecStart, with
# one line per value.
while IFS= read -r line; do
  case $line in
    [A-Z]*=*)
      key=unit_${line%%=*}
      eval "$key=\${$key:+\$$key
}\${line#*=}"
      ;;
  esac
done < "$unit_files/$unit"

user=${unit_User:-root}

# Replaces this process with the command of an Exec line.
become() { # line
  local line
  while IFS= read -r line; do
    [ -z "$line" ] || eval "export $line"
  done << EOF_ENVIRONMENT
$unit_Environment
EOF_ENVIRONMENT
  cd "${unit_WorkingDirectory:-/}" || exit 200
  eval "set -- $1"
  if [ "$user" = root ]; then
    exec "$@"
  else
    exec su -s /bin/sh "$user" -c 'exec "$0" "$@"' -- "$@"
  fi
}

# Runs Exec lines one after the other. Ignores failures of lines that start with
# "-".
run_all() { # lines
  local line
  while IFS= read -r line; do
    case $line in
      '') ;;
      -*) (become "${line#-}") ;;
      *) (become "${line#+}") || return ;;
    esac
  done << EOF_LINES
$1
EOF_LINES
}

# Prints a line on the console, like systemd during boot.
report() { # status, verb
  printf '[%b] %s %s.\n' "$1" "$2" "${unit_Description:-$unit}" > /dev/console
}

make_directories() { # base, names
  local base=$1
  shift
  for name; do
    mkdir -p "$base/$name"
    chown "$user" "$base/$name"
  done
}

seconds() { # "10s", "100ms" or "2"
  case $1 in
    *ms) printf '0.%03d' "${1%ms}" ;;
    *) echo "${1%s}" ;;
  esac
}

start() {
  set_state "$unit" activating start-pre
  make_directories /run $unit_RuntimeDirectory
  make_directories /var/lib $unit_StateDirectory
  make_directories /var/cache $unit_CacheDirectory
  make_directories /var/log $unit_LogsDirectory
  run_all "$unit_ExecStartPre" || return

  if [ "$unit_Type" = oneshot ]; then
    set_state "$unit" activating start
    run_all "$unit_ExecStart" || return
    report '\033[32m  OK  \033[0m' Finished
    return
  fi

  (become "$unit_ExecStart") &
  main=$!
  set_state "$unit" active running "MainPID=$main" "Since=$(date)"
  report '\033[32m  OK  \033[0m' Started
  wait "$main"
}

finish() { # exit status
  local result=exit-code
  # Kill all other processes of the unit.
  trap '' TERM
  [ "$unit_Type" = oneshot ] || kill -- "-$$"
  if [ "$1" != 0 ]; then
    [ "$1" -le 128 ] || result=signal
    set_state "$unit" failed failed "Result=$result" "ExecMainStatus=$1"
    echo "$unit: Failed with result '$result' (status $1)."
    report '\033[1;31mFAILED\033[0m' 'Failed to start'
  elif [ "$unit_Type" = oneshot ] && [ "$unit_RemainAfterExit" = true ]; then
    set_state "$unit" active exited Result=success
  else
    set_state "$unit" inactive dead Result=success
  fi
}

for other in $unit_After; do
  wait_for_start "$other" 60
done

attempt=1
while :; do
  start
  status=$?
  if [ -e "$states/.stopping-$unit" ]; then
    set_state "$unit" inactive dead Result=success
    exit
  fi
  case ${unit_Restart:-no}:$status in
    always:* | on-failure:[1-9]*) ;;
    *) break ;;
  esac
  [ $attempt -lt "${unit_StartLimitBurst:-5}" ] || break
  attempt=$((attempt + 1))
  set_state "$unit" activating auto-restart "ExecMainStatus=$status"
  sleep "$(seconds "${unit_RestartSec:-100ms}")"
done
finish "$status"
