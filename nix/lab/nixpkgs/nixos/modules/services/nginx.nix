# nginx: generates its configuration file from options.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    concatStrings
    mapAttrsToList
    mkOption
    optionalString
    types
    ;
  cfg = config.services.nginx;

  bool =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };
  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  nullOr =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  location.options = {
    root = nullOr types.path "The root directory for requests.";
    alias = nullOr types.path "The directory that replaces the location's path.";
    index = nullOr types.str "The index file of a directory.";
    tryFiles = nullOr types.str "Files to try in this order.";
    return = nullOr (types.either types.int types.str) "The status or URL to return.";
    proxyPass = nullOr types.str "The server to pass requests to.";
    extraConfig = lines "Additional directives.";
    priority = mkOption {
      type = types.int;
      default = 1000;
      description = "Locations with lower numbers come first.";
    };
  };

  listen.options = {
    addr = mkOption {
      type = types.str;
      description = "The IP address.";
    };
    port = mkOption {
      type = types.nullOr types.port;
      default = null;
      description = "The port. If null, defaultHTTPListenPort.";
    };
    ssl = bool false "No effect: the lab has no TLS.";
    extraParameters = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Additional parameters of the listen directive.";
    };
  };

  virtualHost.options = {
    serverName = nullOr types.str "The server name. If null, the name of the attribute.";
    serverAliases = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Additional server names.";
    };
    default = bool false "Whether to serve requests for unknown server names.";
    root = nullOr types.path "The root directory for requests.";
    listen = mkOption {
      type = types.listOf (types.submodule listen);
      default = [ ];
      description = "Addresses and ports to listen on. If empty, the default ones.";
    };
    locations = mkOption {
      type = types.attrsOf (types.submodule location);
      default = { };
      description = "Configuration of individual paths.";
    };
    extraConfig = lines "Additional directives.";
  };

  directive = name: value: optionalString (value != null) "${name} ${toString value};\n";

  locationConfig =
    { path, location }:
    ''
      location ${path} {
        ${directive "root" location.root}
        ${directive "alias" location.alias}
        ${directive "index" location.index}
        ${directive "try_files" location.tryFiles}
        ${directive "return" location.return}
        ${directive "proxy_pass" location.proxyPass}
        ${location.extraConfig}
      }
    '';

  inOrder =
    locations:
    lib.sort (a: b: a.location.priority < b.location.priority) (
      mapAttrsToList (path: location: { inherit path location; }) locations
    );

  listenConfig =
    host:
    let
      everywhere = map (addr: {
        inherit addr;
        port = null;
        extraParameters = [ ];
      }) cfg.defaultListenAddresses;
      words = l: [
        "${l.addr}:${toString (if l.port == null then cfg.defaultHTTPListenPort else l.port)}"
      ]
      ++ lib.optional host.default "default_server"
      ++ l.extraParameters;
    in
    lib.concatMapStrings (l: "listen ${toString (words l)};\n") (
      if host.listen == [ ] then everywhere else host.listen
    );

  hostConfig =
    name: host:
    let
      serverName = if host.serverName == null then name else host.serverName;
    in
    ''
      server {
        ${listenConfig host}
        server_name ${toString ([ serverName ] ++ host.serverAliases)};
        ${directive "root" host.root}
        ${lib.concatMapStrings locationConfig (inOrder host.locations)}
        ${host.extraConfig}
      }
    '';

  configFile = pkgs.writeText "nginx.conf" ''
    user nginx nginx;
    pid /run/nginx/nginx.pid;
    error_log stderr;
    daemon off;

    events {
    }

    http {
      include ${cfg.package}/conf/mime.types;
      types_hash_max_size 4096;
      default_type application/octet-stream;
      access_log off;
      server_tokens ${if cfg.serverTokens then "on" else "off"};
      # All files in the store have a modification time in 1970. The nginx of
      # nixpkgs derives the ETag from the store path. Debian's would consider
      # different files of the same length unchanged.
      etag off;
      if_modified_since off;
      client_body_temp_path /var/cache/nginx/client_body;
      proxy_temp_path /var/cache/nginx/proxy;
      fastcgi_temp_path /var/cache/nginx/fastcgi;
      uwsgi_temp_path /var/cache/nginx/uwsgi;
      scgi_temp_path /var/cache/nginx/scgi;

      ${optionalString cfg.recommendedOptimisation ''
        sendfile on;
        tcp_nopush on;
        keepalive_timeout 65;
      ''}
      ${optionalString cfg.recommendedGzipSettings ''
        gzip on;
        gzip_vary on;
        gzip_comp_level 5;
        gzip_min_length 256;
        gzip_proxied any;
        gzip_types text/css text/plain text/javascript application/javascript
          application/json image/svg+xml;
      ''}
      ${optionalString cfg.recommendedProxySettings ''
        proxy_redirect off;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
      ''}
      ${cfg.commonHttpConfig}
      ${concatStrings (mapAttrsToList hostConfig cfg.virtualHosts)}
      ${cfg.appendHttpConfig}
    }
  '';

  command = "${lib.getExe cfg.package} -e stderr -c ${configFile}";
in
{
  options.services.nginx = {
    enable = lib.mkEnableOption "Nginx Web Server";
    package = mkOption {
      type = types.package;
      default = pkgs.nginx;
      description = "The nginx package.";
    };
    recommendedGzipSettings = bool false "Whether to compress responses.";
    recommendedProxySettings = bool false "Whether to pass information about the client to proxied servers.";
    recommendedOptimisation = bool false "Whether to send files with the sendfile system call.";
    recommendedTlsSettings = bool false "No effect: the lab has no TLS.";
    serverTokens = bool false "Whether responses contain the version of nginx.";
    defaultListenAddresses = mkOption {
      type = types.listOf types.str;
      default = [ "0.0.0.0" ] ++ lib.optional config.networking.enableIPv6 "[::0]";
      description = "Addresses of virtual hosts without `listen`.";
    };
    defaultHTTPListenPort = mkOption {
      type = types.port;
      default = 80;
      description = "The port of virtual hosts that do not set one.";
    };
    commonHttpConfig = lines "Directives before the virtual hosts.";
    appendHttpConfig = lines "Directives after the virtual hosts.";
    virtualHosts = mkOption {
      type = types.attrsOf (types.submodule virtualHost);
      default = { };
      description = "The virtual hosts.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.nginx = {
      description = "Nginx Web Server";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      preStart = "${command} -t";
      # On NixOS the unit fails only after a minute of restarts. The lab does not
      # restart nginx, so that an invalid configuration fails immediately.
      serviceConfig = {
        ExecStart = command;
        RuntimeDirectory = "nginx";
        CacheDirectory = "nginx";
      };
    };

    users.users.nginx = {
      uid = 60;
      group = "nginx";
      isSystemUser = true;
    };
    users.groups.nginx.gid = 60;
  };
}
