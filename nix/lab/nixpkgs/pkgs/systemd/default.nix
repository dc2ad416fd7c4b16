# The part of systemd that people see: unit files, `systemctl`, `journalctl`,
# and processes that are started, watched and reported on as units. Scripts
# for busybox' shell: an emulated processor takes 80 ms to start bash.
{ busybox, runCommand }:
runCommand "systemd-lab" { meta.mainProgram = "systemctl"; } ''
  install() {
    { echo "#!${busybox}/bin/sh"; cat ${./common.sh} "$1"; } |
      sed 's|@busybox@|${busybox}|; s|@out@|'$out'|' > $out/$2
    chmod +x $out/$2
  }
  mkdir -p $out/bin $out/lib/systemd
  install ${./systemctl.sh} bin/systemctl
  install ${./journalctl.sh} bin/journalctl
  install ${./supervise.sh} lib/systemd/supervise
  install ${./boot.sh} lib/systemd/boot
''
