import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { createProxyServer } from 'httpxy'

/**
 * A proxy with TLS in front of a server on this machine, as who teaches a class has one. Its certificate is worth nothing.
 *
 * @param folder for its key, absolute
 * @returns what closes it
 */
export async function tlsProxy(port: number, to: number, folder: string): Promise<() => Promise<void>> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=class.localhost',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
  ])
  const proxy = createProxyServer({
    target: `http://127.0.0.1:${to}`,
    ws: true,
    ssl: { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') },
  })
  proxy.on('error', () => {})
  proxy.listen(port, '127.0.0.1')
  return () => new Promise((done) => proxy.close(() => done()))
}
