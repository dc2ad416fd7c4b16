# Additions to the machines of a test: a shell for the driver on a virtio serial
# port, and no login on the console.
{
  lib,
  pkgs,
  ...
}:
{
  lab.console.enable = lib.mkDefault false;
  # The log of the test must show why a unit failed.
  environment.etc."systemd/journald.conf".text = "ForwardToConsole=yes\n";

  # Reads one command per line, in base64. Responds with its exit status and its
  # standard output, in base64. Standard error goes to the console.
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
