# Serves the SPA with nginx. Enable it with `services.spa-app.enable = true`.
{ config, lib, ... }:
let
  cfg = config.services.spa-app;
  inherit (lib)
    mkEnableOption
    mkIf
    mkOption
    types
    ;

  # #region locations
  locations = {
    # Client-side routes are not files: return the app shell.
    "/".tryFiles = "$uri $uri/ /index.html";

    # The shell refers to the assets, so it must never be stale.
    "= /index.html".extraConfig = ''
      add_header Cache-Control "no-cache";
    '';

    # The path contains a hash of the content: cache it forever. A
    # missing asset is an error, not a route.
    "/assets/".tryFiles = "$uri =404";
    "/assets/".extraConfig = ''
      add_header Cache-Control "public, max-age=31536000, immutable";
    '';

    "= /host.json".extraConfig = hostFacts;
  };
  # #endregion locations

  # #region facts
  # The page shows these facts about the machine that serves it.
  hostFacts = ''
    default_type application/json;
    add_header Cache-Control "no-store";
    return 200 '${
      builtins.toJSON {
        host = "$hostname";
        server = "nginx $nginx_version";
        system = "NixOS ${config.system.nixos.label}";
        time = "$time_iso8601";
      }
    }';
  '';
  # #endregion facts

  # #region conflicts
  # nginx allows one default site per port, but reports a conflict only when it
  # starts.
  inherit (config.services.nginx) defaultHTTPListenPort virtualHosts;
  portOf =
    listen: if listen.port == null then defaultHTTPListenPort else listen.port;
  portsOf =
    host:
    if host.listen == [ ] then [ defaultHTTPListenPort ] else map portOf host.listen;
  conflicts = builtins.attrNames (
    lib.filterAttrs (
      name: host:
      name != cfg.host && host.default && builtins.elem cfg.port (portsOf host)
    ) virtualHosts
  );
  quote = lib.concatMapStringsSep ", " (name: ''"${name}"'');
  # #endregion conflicts
in
{
  # #region options
  options.services.spa-app = {
    enable = mkEnableOption "serving the SPA with nginx";
    package = mkOption {
      type = types.package;
      description = "Derivation with the static files of the SPA.";
    };
    host = mkOption {
      type = types.str;
      default = "spa.local";
      description = "Name of the virtual host.";
    };
    port = mkOption {
      type = types.port;
      default = 80;
      description = "TCP port that nginx listens on.";
    };
    openFirewall = mkEnableOption "opening that port in the firewall";
  };
  # #endregion options

  config = mkIf cfg.enable {
    # #region nginx
    services.nginx = {
      enable = true;
      recommendedGzipSettings = true;
      recommendedProxySettings = true;
      virtualHosts.${cfg.host} = {
        default = true;
        root = cfg.package;
        listen = map (addr: {
          inherit addr;
          inherit (cfg) port;
        }) config.services.nginx.defaultListenAddresses;
        inherit locations;
      };
    };

    networking.firewall.allowedTCPPorts =
      mkIf cfg.openFirewall [ cfg.port ];
    # #endregion nginx

    # #region assertions
    assertions = [
      {
        assertion =
          config.services.openssh.enable
          -> !builtins.elem cfg.port config.services.openssh.ports;
        message =
          "services.spa-app.port is ${toString cfg.port},"
          + " which sshd already uses. Choose another port.";
      }
      {
        assertion = conflicts == [ ];
        message =
          "services.spa-app is the default site on port ${toString cfg.port},"
          + " but so are the virtual hosts ${quote conflicts} of nginx."
          + " Use another port for one of them, or set its `default` to false.";
      }
    ];
    # #endregion assertions
  };
}
