# The host name, and network addresses from DHCP.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking;

  # udhcpc runs this when it receives a lease.
  lease = pkgs.writeScript "dhcp-lease" ''
    #!${pkgs.busybox}/bin/sh
    PATH=${pkgs.busybox}/bin
    [ "$1" = bound ] || [ "$1" = renew ] || exit 0
    ip addr flush dev "$interface" scope global
    ip addr add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "''${router%% *}" dev "$interface"
    for server in $dns; do
      echo "nameserver $server"
    done > /etc/resolv.conf
  '';

  # Requests an address for every interface whose name matches a shell pattern.
  dhcpClient = patterns: {
    wantedBy = [ "multi-user.target" ];
    path = [ pkgs.busybox ];
    script = ''
      cd /sys/class/net
      for interface in ${patterns}; do
        [ -e "$interface" ] && [ "$interface" != lo ] || continue
        ip link set "$interface" up
        udhcpc -f -i "$interface" -s ${lease} &
      done
      wait
    '';
  };

  byDhcp = builtins.filter (
    network:
    builtins.elem (network.networkConfig.DHCP or network.DHCP or "no") [
      "yes"
      "ipv4"
      true
    ]
  ) (builtins.attrValues config.systemd.network.networks);
  networkdPatterns = lib.concatMapStringsSep " " (n: n.matchConfig.Name or "") byDhcp;
in
{
  options = {
    networking = {
      hostName = mkOption {
        type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
        default = "nixos";
        description = "The host name.";
      };
      useDHCP = mkOption {
        type = types.bool;
        default = true;
        description = "Whether all interfaces get their addresses from DHCP.";
      };
      useNetworkd = mkOption {
        type = types.bool;
        default = false;
        description = "Whether networkd configures the network.";
      };
      hosts = mkOption {
        type = types.attrsOf (types.listOf types.str);
        default = { };
        description = "Host names by IP address, for /etc/hosts.";
      };
      enableIPv6 = mkOption {
        type = types.bool;
        default = true;
        description = "Whether to use IPv6.";
      };
      domain = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The domain of the machine.";
      };
    };
    systemd.network = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether networkd runs.";
      };
      networks = mkOption {
        type = types.attrsOf types.attrs;
        default = { };
        description = "Networks of networkd. The lab supports matchConfig.Name and DHCP.";
      };
      wait-online = mkOption {
        type = types.attrs;
        default = { };
        description = "No effect in the lab.";
      };
    };
  };

  config = {
    systemd.network.enable = lib.mkIf cfg.useNetworkd (lib.mkDefault true);

    systemd.services = lib.mkMerge [
      (lib.mkIf (cfg.useDHCP && !cfg.useNetworkd) {
        dhcpcd = dhcpClient "*" // {
          description = "DHCP Client";
        };
      })
      (lib.mkIf config.systemd.network.enable {
        systemd-networkd =
          dhcpClient (if cfg.useDHCP then "en* eth*" else networkdPatterns) // {
            description = "Network Configuration";
          };
      })
    ];

    networking.hosts = {
      "127.0.0.1" = [ "localhost" ] ++ lib.optional (cfg.hostName != "") cfg.hostName;
      "::1" = [ "localhost" ];
    };
    environment.etc.hostname.text = cfg.hostName + "\n";
    environment.etc.hosts.text = lib.concatStrings (
      lib.mapAttrsToList (address: names: "${address} ${toString names}\n") cfg.hosts
    );

    system.activationScripts.network = ''
      hostname ${if cfg.hostName == "" then "localhost" else cfg.hostName}
      ip link set lo up
    '';
  };
}
