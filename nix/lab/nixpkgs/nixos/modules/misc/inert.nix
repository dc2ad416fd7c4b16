# NixOS options that have no effect in the lab. They accept any value, so that
# configurations that set them evaluate. docs/lab.md lists what is missing.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  ignored = mkOption {
    type = types.lazyAttrsOf types.anything;
    default = { };
    description = "No effect in the lab.";
  };
  ignoredBool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
      description = "No effect in the lab.";
    };
in
{
  options = {
    boot.growPartition = ignoredBool false;
    boot.tmp = ignored;
    documentation = ignored;
    environment.stub-ld = ignored;
    fonts = ignored;
    hardware = ignored;
    i18n = ignored;
    nix = ignored;
    powerManagement = ignored;
    programs = ignored;
    security = ignored;
    services.amazon-ssm-agent.enable = ignoredBool false;
    services.cloud-init = ignored;
    services.journald = ignored;
    services.logrotate = ignored;
    services.openssh = {
      enable = ignoredBool false;
      ports = mkOption {
        type = types.listOf types.port;
        default = [ 22 ];
        description = "No effect: the lab has no sshd.";
      };
      openFirewall = ignoredBool true;
      settings = ignored;
    };
    services.qemuGuest = ignored;
    services.resolved = ignored;
    services.timesyncd = ignored;
    services.udisks2 = ignored;
    services.userborn = ignored;
    swapDevices = mkOption {
      type = types.listOf types.anything;
      default = [ ];
      description = "No effect in the lab.";
    };
    system.etc.overlay = ignored;
    system.tools = ignored;
    system.switch = ignored;
    time.hardwareClockInLocalTime = ignoredBool false;
    xdg = ignored;
    zramSwap = ignored;
  };
}
