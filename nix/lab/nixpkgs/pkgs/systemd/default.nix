# A replacement for systemd: runs unit files and provides `systemctl` and
# `journalctl`. The scripts use busybox's shell, because an emulated processor
# needs 80 ms to start bash.
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
