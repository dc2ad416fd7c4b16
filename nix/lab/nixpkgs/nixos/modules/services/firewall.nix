# The firewall, based on nftables. Drops everything that is not allowed.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking.firewall;

  accept =
    protocol: ports:
    let
      set = lib.concatMapStringsSep ", " toString ports;
    in
    lib.optionalString (ports != [ ]) "${protocol} dport { ${set} } accept";

  rules = pkgs.writeText "firewall.nft" ''
    table inet nixos-fw {
      chain input {
        type filter hook input priority 0; policy drop;
        iifname "lo" accept
        ct state established,related accept
        ${accept "tcp" cfg.allowedTCPPorts}
        ${accept "udp" cfg.allowedUDPPorts}
        ${lib.optionalString cfg.allowPing "icmp type echo-request accept"}
        meta l4proto icmpv6 accept
      }
    }
  '';
  ports = mkOption {
    type = types.listOf types.port;
    default = [ ];
    apply = ports: lib.unique (lib.sort (a: b: a < b) ports);
    description = "Ports that accept connections from other machines.";
  };
in
{
  options.networking.firewall = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to drop connections that are not allowed.";
    };
    allowedTCPPorts = ports;
    allowedUDPPorts = ports;
    allowPing = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to answer pings.";
    };
  };

  config = lib.mkIf cfg.enable {
    networking.firewall.allowedTCPPorts = lib.mkIf (
      config.services.openssh.enable && config.services.openssh.openFirewall
    ) config.services.openssh.ports;

    environment.systemPackages = [ pkgs.nftables ];
    boot.kernelModules = [
      "nf_tables"
      "nft_ct"
    ];
    systemd.services.firewall = {
      description = "Firewall";
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${lib.getExe pkgs.nftables} -f ${rules}";
        ExecStop = "${lib.getExe pkgs.nftables} flush ruleset";
      };
    };
  };
}
