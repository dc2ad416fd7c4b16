# The licenses that packages of the lab and the tasks use.
let
  free =
    spdxId: fullName: shortName: {
      inherit shortName spdxId fullName;
      free = true;
      redistributable = true;
      deprecated = false;
      url = "https://spdx.org/licenses/${spdxId}.html";
    };
in
builtins.mapAttrs (shortName: license: license shortName) {
  agpl3Only = free "AGPL-3.0-only" "GNU Affero General Public License v3.0 only";
  asl20 = free "Apache-2.0" "Apache License 2.0";
  bsd2 = free "BSD-2-Clause" "BSD 2-clause \"Simplified\" License";
  bsd3 = free "BSD-3-Clause" "BSD 3-clause \"New\" or \"Revised\" License";
  cc0 = free "CC0-1.0" "Creative Commons Zero v1.0 Universal";
  gpl2Plus = free "GPL-2.0-or-later" "GNU General Public License v2.0 or later";
  gpl3Plus = free "GPL-3.0-or-later" "GNU General Public License v3.0 or later";
  isc = free "ISC" "ISC License";
  mit = free "MIT" "MIT License";
  mpl20 = free "MPL-2.0" "Mozilla Public License 2.0";
  unfree = shortName: {
    inherit shortName;
    fullName = "Unfree";
    free = false;
    redistributable = false;
    deprecated = false;
  };
}
