# journalctl [-u UNIT] [-n LINES] [-f]: prints the output of units.
unit=
lines=+1
follow=
while [ $# -gt 0 ]; do
  case $1 in
    -u | --unit) unit=$2 && shift ;;
    --unit=*) unit=${1#*=} ;;
    -n | --lines) lines=$2 && shift ;;
    -n*) lines=${1#-n} ;;
    --lines=*) lines=${1#*=} ;;
    -f | --follow) follow=-f ;;
    -*u) unit=$2 && shift ;; # as in -xeu
  esac
  shift
done

name=${unit%.service}
show() {
  awk -v name="$name" 'name == "" || $5 == name ":" { print; fflush() }'
}
if [ -n "$follow" ]; then
  tail -n "${lines#+}0" -f "$journal" | show
else
  show < "$journal" | tail -n "$lines"
fi
