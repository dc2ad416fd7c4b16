import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { createProxyServer } from 'httpxy'

/**
 * Starts a TLS reverse proxy for a server on this machine, as used for a class. Its certificate is self-signed.
 *
 * @param port port of the proxy
 * @param to port of the server
 * @param folder absolute path of a folder for the key and the certificate
 * @returns a function that closes the proxy
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
  return () => new Promise((resolve) => proxy.close(() => resolve()))
}
