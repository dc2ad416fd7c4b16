# What a machine of a test has besides: no login on the console, and a shell
# for the driver behind a virtio serial port.
{
  lib,
  pkgs,
  ...
}:
{
  lab.console.enable = lib.mkDefault false;
  # So that the log of a test shows why a unit has failed.
  environment.etc."systemd/journald.conf".text = "ForwardToConsole=yes\n";

  # Each line is a command in base64; each answer is its exit status and its
  # output in base64. What it prints as an error goes to the console.
  systemd.services.backdoor = {
    description = "backdoor.service";
    wantedBy = [ "multi-user.target" ];
    script = ''
      export PATH=/run/current-system/sw/bin HOME=/root
      cd /root
      port=$(grep -lx backdoor /sys/class/virtio-ports/*/name)
      exec 3<> "/dev/$(basename "$(dirname "$port")")"
      echo ready >&3
      while read -r command <&3; do
        echo "$command" | base64 -d > /run/backdoor-command
        status=0
        bash /run/backdoor-command > /run/backdoor-output 2> /dev/console < /dev/null || status=$?
        echo "$status $(base64 -w 0 /run/backdoor-output)" >&3
      done
    '';
  };
}
