# boot: starts the units that multi-user.target wants, all at once: each waits
# for those it names in After=. Returns when they run, so that the login prompt
# is the last line; units that take longer are not waited for.
patience=10 # seconds

mkdir -p "$states" "${journal%/*}"
: > "$journal"
cd "$unit_files/multi-user.target.wants" || exit

# Before the first one starts, so that none looks as if it were not wanted.
for unit in *.service; do
  set_state "$unit" activating start-pre
done
for unit in *.service; do
  launch "$unit"
done

reach_targets() { # seconds for each unit
  for unit in *.service; do
    wait_for_start "$unit" "$1" || return
  done
  for target in network.target network-online.target multi-user.target default.target; do
    set_state "$target" active active
  done
}
if ! reach_targets "$patience"; then
  reach_targets 86400 &
fi
