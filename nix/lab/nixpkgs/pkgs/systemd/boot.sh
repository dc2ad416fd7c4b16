# boot: starts all units that multi-user.target wants in parallel. Each unit waits
# for the units in its After=. Returns when all units run, so that the login
# prompt is the last line, but does not wait for slow units.
start_timeout=10 # seconds per unit

mkdir -p "$states" "${journal%/*}"
: > "$journal"
cd "$unit_files/multi-user.target.wants" || exit

# Before the first unit starts, so that no unit appears to be inactive.
for unit in *.service; do
  set_state "$unit" activating start-pre
done
for unit in *.service; do
  launch "$unit"
done

reach_targets() { # timeout per unit in seconds
  for unit in *.service; do
    wait_for_start "$unit" "$1" || return
  done
  for target in network.target network-online.target multi-user.target default.target; do
    set_state "$target" active active
  done
}
if ! reach_targets "$start_timeout"; then
  reach_targets 86400 &
fi
