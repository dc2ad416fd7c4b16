import { expect, test } from 'vitest'
import { parsePatch } from './patch.ts'

const patch = `diff --git a/nixos/services/spa.nix b/nixos/services/spa.nix
index 1111111..2222222 100644
--- a/nixos/services/spa.nix
+++ b/nixos/services/spa.nix
@@ -3,4 +3,4 @@ in
   options.services.spa = {
-    port = 80;
+    port = 8081;
   };
@@ -20,2 +20,3 @@ in
   };
+  # last line
 }
\\ No newline at end of file
diff --git a/old.nix b/old.nix
deleted file mode 100644
index 3333333..0000000
--- a/old.nix
+++ /dev/null
@@ -1,2 +0,0 @@
-{ }
--- a comment that looks like a header
diff --git a/new.nix b/new.nix
new file mode 100644
index 0000000..4444444
diff --git a/logo.png b/logo.png
index 5555555..6666666 100644
Binary files a/logo.png and b/logo.png differ
`

test('parsePatch returns both sides of each file', () => {
  const [spa, old] = parsePatch(patch)
  expect(spa).toEqual({
    path: 'nixos/services/spa.nix',
    kind: 'changed',
    before: '  options.services.spa = {\n    port = 80;\n  };\n# ⋯\n  };\n}',
    after: '  options.services.spa = {\n    port = 8081;\n  };\n# ⋯\n  };\n  # last line\n}',
  })
  expect(old).toEqual({
    path: 'old.nix',
    kind: 'removed',
    before: '{ }\n-- a comment that looks like a header',
    after: '',
  })
})

test('parsePatch lists empty and binary files', () => {
  expect(
    parsePatch(patch)
      .slice(2)
      .map(({ path, kind }) => `${kind} ${path}`),
  ).toEqual(['added new.nix', 'binary logo.png'])
  expect(parsePatch('')).toEqual([])
})
