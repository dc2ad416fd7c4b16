// The dependency node-pty is an alias of @lydell/node-pty (the same code with prebuilt binaries), whose types declare
// the latter name. An import would turn this file into a module, which cannot declare another module.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference
/// <reference path="../../node_modules/node-pty/node-pty.d.ts" />
declare module 'node-pty' {
  export * from '@lydell/node-pty'
}
