// node-pty comes as @lydell/node-pty (the same code with prebuilt binaries), whose types carry that name.
/// <reference path="../../node_modules/node-pty/node-pty.d.ts" />
declare module 'node-pty' {
  export * from '@lydell/node-pty'
}
