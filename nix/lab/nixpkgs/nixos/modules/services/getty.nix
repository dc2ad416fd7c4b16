# The login prompt on the serial console.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.getty;
  login = "${pkgs.busybox}/bin/login";
  autologin = pkgs.writeShellScript "autologin" "exec ${login} -f ${cfg.autologinUser}";
  ask = if cfg.autologinUser == null then "-l ${login}" else "-n -l ${autologin}";
in
{
  options = {
    services.getty = {
      autologinUser = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The user to log in automatically.";
      };
      greetingLine = mkOption {
        type = types.str;
        default = "<<< Welcome to NixOS ${config.system.nixos.label} (offline lab) - \\l >>>";
        description = "The line above the login prompt.";
      };
      helpLine = mkOption {
        type = types.lines;
        default = "";
        description = "Lines between the greeting and the prompt.";
      };
    };
    lab.console.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the serial console has a login prompt.";
    };
  };

  config = {
    # Sets the terminal size that qemu-vm.nix passes on the kernel command line.
    environment.etc.profile.text = lib.mkAfter ''
      read -r line < /proc/cmdline
      if [[ $line =~ lab.size=([0-9]+)x([0-9]+) && $(tty) == /dev/ttyS0 ]]; then
        stty rows "''${BASH_REMATCH[1]}" cols "''${BASH_REMATCH[2]}"
      fi
    '';

    environment.etc.issue.text = ''

      ${cfg.greetingLine}
      ${cfg.helpLine}
    '';
    lab.inittab = lib.mkIf config.lab.console.enable ''
      ttyS0::respawn:${pkgs.busybox}/bin/getty ${ask} -L 115200 ttyS0 vt220
    '';
  };
}
