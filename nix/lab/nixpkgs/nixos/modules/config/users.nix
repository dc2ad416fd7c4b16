# Users and groups: /etc/passwd, /etc/group and, on the first boot, /etc/shadow.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.users;

  nullOrStr =
    description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit description;
    };

  user =
    { name, ... }:
    {
      options = {
        uid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The numeric id. Assigned automatically if null.";
        };
        group = mkOption {
          type = types.str;
          default = "nogroup";
          description = "The primary group.";
        };
        home = mkOption {
          type = types.str;
          default = "/var/empty";
          description = "The home directory.";
        };
        description = mkOption {
          type = types.str;
          default = "";
          description = "The full name.";
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether this is a person's account.";
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether this is the account of a service.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Additional groups.";
        };
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "No effect in the lab.";
        };
        shell = mkOption {
          type = types.either types.package types.str;
          default = "/run/current-system/sw/bin/bash";
          description = "The login shell.";
        };
        initialPassword = nullOrStr "Initial password. Anyone can read it in the store.";
        initialHashedPassword = nullOrStr "Hash of the initial password.";
        password = nullOrStr "Password. Anyone can read it in the store.";
        hashedPassword = nullOrStr "Hash of the password.";
        hashedPasswordFile = nullOrStr "No effect in the lab.";
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "No effect: the lab has no sshd.";
        };
        openssh.authorizedKeys.keyFiles = mkOption {
          type = types.listOf types.path;
          default = [ ];
          description = "No effect: the lab has no sshd.";
        };
      };
    };

  # Ids of all entries; assigns one to those without.
  numbered =
    attribute: first: entries:
    let
      number =
        i: name:
        let
          own = entries.${name}.${attribute};
        in
        lib.nameValuePair name (if own != null then own else first + i);
    in
    builtins.listToAttrs (lib.imap0 number (builtins.attrNames entries));
  uids = numbered "uid" 900 cfg.users;
  gids = numbered "gid" 900 cfg.groups;

  shellPath = shell: if builtins.isString shell then shell else lib.getExe shell;
  passwdLine =
    name: u:
    lib.concatStringsSep ":" [
      name
      "x"
      (toString uids.${name})
      (toString gids.${u.group})
      u.description
      u.home
      (shellPath u.shell)
    ];
  groupLine =
    name: _:
    let
      members = lib.filterAttrs (_: u: builtins.elem name u.extraGroups) cfg.users;
    in
    lib.concatStringsSep ":" [
      name
      "x"
      (toString gids.${name})
      (lib.concatStringsSep "," (builtins.attrNames members))
    ];
  lines = f: entries: lib.concatStringsSep "\n" (lib.mapAttrsToList f entries) + "\n";

  # The hash of a user's password; "!" locks the account. Plain-text passwords are
  # hashed at build time, since the configuration is in the store anyway.
  hash =
    name: u:
    let
      salt = lib.substring 0 8 (builtins.hashString "sha256" name);
      plain = if u.password != null then u.password else u.initialPassword;
      hashed = if u.hashedPassword != null then u.hashedPassword else u.initialHashedPassword;
    in
    if hashed != null then
      lib.escapeShellArg hashed
    else if plain != null then
      ''"$(mkpasswd -m sha512 -S ${salt} ${lib.escapeShellArg plain})"''
    else
      "'!'";
  shadow = pkgs.runCommand "shadow" { } (
    lib.concatStrings (
      lib.mapAttrsToList (name: u: ''
        echo ${name}:${hash name u}:1:::::: >> $out
      '') cfg.users
    )
  );
in
{
  options.users = {
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether passwords can be changed on the machine.";
    };
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
      description = "The users.";
    };
    groups = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.gid = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "The numeric id. Assigned automatically if null.";
          };
        }
      );
      default = { };
      description = "The groups.";
    };
  };

  config = {
    users.users.root = {
      uid = 0;
      group = "root";
      home = "/root";
      description = "System administrator";
    };
    users.users.nobody = {
      uid = 65534;
      isSystemUser = true;
    };
    users.groups.root.gid = 0;
    users.groups.nogroup.gid = 65534;

    system.activationScripts.users = ''
      cat ${pkgs.writeText "passwd" (lines passwdLine cfg.users)} > /etc/passwd
      cat ${pkgs.writeText "group" (lines groupLine cfg.groups)} > /etc/group
      if [ ! -e /etc/shadow ]; then
        (umask 077; cat ${shadow} > /etc/shadow)
      fi
      ${lib.concatStrings (
        lib.mapAttrsToList (
          name: u:
          lib.optionalString u.isNormalUser ''
            mkdir -p ${u.home}
            chown ${name}:${u.group} ${u.home}
          ''
        ) cfg.users
      )}
    '';

    assertions = lib.mapAttrsToList (name: u: {
      assertion = name == "root" || u.isNormalUser != u.isSystemUser;
      message =
        "Exactly one of users.users.${name}.isSystemUser and "
        + "users.users.${name}.isNormalUser must be set.\n";
    }) cfg.users;
  };
}
