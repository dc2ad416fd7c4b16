import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'httpxy'
import { sameToken } from './token.ts'

/** The page of a step: of a learner, or of the talk. */
export interface PlaceOfPage {
  learner: string | undefined
  step: string
}

/** In the first address of a page, what lets its browser in. */
const PARAMETER = 'understudy-page'
/** Its browser's cookie. It belongs to the page's own host alone, and needs TLS. */
const COOKIE = '__Host-understudy-page'

/**
 * The pages of steps for browsers on other machines. Each has a host of its own, behind the proxy that serves the deck: it finds its own files
 * below `/` as it does here, and is another origin than the deck and than every other page.
 */
export class StepPages {
  private readonly pattern: URL
  private readonly find: (place: PlaceOfPage) => string | undefined
  private readonly places = new Map<string, PlaceOfPage>()
  private readonly secret = randomBytes(32)
  private readonly proxy = createProxyServer({ changeOrigin: true })

  /**
   * @param pattern `https://*.<domain>`: what the pages are called
   * @param find where a step serves its page on this machine at the moment
   */
  constructor(pattern: string, find: (place: PlaceOfPage) => string | undefined) {
    this.pattern = new URL(pattern.replace('*', 'any'))
    this.find = find
  }

  /** Where a browser that is let in goes to see a page; undefined where there is none at the moment. */
  link(place: PlaceOfPage): string | undefined {
    const here = this.find(place)
    if (here === undefined) return undefined
    const host = this.pattern.host.replace('any', this.sign('host', place).slice(0, 32))
    this.places.set(host, place)
    const link = new URL(here)
    const { pathname, searchParams } = link
    searchParams.set(PARAMETER, this.sign('token', place))
    return `${this.pattern.protocol}//${host}${pathname}?${searchParams}`
  }

  /** Whether a request is for a page, known or not. */
  takes({ headers: { host = '' } }: IncomingMessage): boolean {
    return host.slice(host.indexOf('.')) === this.pattern.host.slice(this.pattern.host.indexOf('.'))
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number, text: string) =>
      response
        .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Referrer-Policy': 'no-referrer' })
        .end(`${text}\n`)
    const place = this.places.get(request.headers.host ?? '')
    const url =
      request.url?.startsWith('/') && URL.canParse(request.url, this.pattern.origin)
        ? new URL(request.url, this.pattern.origin)
        : undefined
    if (!place || !url) return void answer(404, 'There is no such page. Open it from its slide.')
    const token = this.sign('token', place)
    const given = url.searchParams.get(PARAMETER)
    if (given !== null && sameToken(token, given)) {
      url.searchParams.delete(PARAMETER)
      response.setHeader('Set-Cookie', `${COOKIE}=${token}; HttpOnly; Secure; SameSite=Strict; Path=/`)
      return void response
        .writeHead(303, {
          Location: `${this.pattern.protocol}//${request.headers.host ?? ''}${url.pathname}${url.search}`,
          'Referrer-Policy': 'no-referrer',
        })
        .end()
    }
    if (!this.letsIn(request, token)) return void answer(401, 'Open this page from its slide.')
    const target = this.find(place)
    if (target === undefined)
      return void answer(503, 'The step serves no page at the moment. Run it, and load this page again.')
    const unreached = () =>
      void (response.headersSent
        ? response.destroy()
        : answer(502, 'The page did not answer. See what the terminal of its step says.'))
    this.proxy.web(request, response, { target: new URL(target).origin }).catch(unreached)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const place = this.places.get(request.headers.host ?? '')
    const target = place && this.find(place)
    const own = request.headers.origin === `${this.pattern.protocol}//${request.headers.host ?? ''}`
    if (!place || target === undefined || !own || !this.letsIn(request, this.sign('token', place)))
      return void socket.end('HTTP/1.1 403 Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    this.proxy.ws(request, socket as Socket, { target: new URL(target).origin }, head).catch(() => socket.destroy())
  }

  /** Looks for the cookie, and takes it away: what the step serves has no use for it. */
  private letsIn({ headers }: IncomingMessage, token: string): boolean {
    const cookies = (headers.cookie ?? '').split(/;\s*/)
    const given = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))
    const rest = cookies.filter((cookie) => cookie !== given && cookie !== '')
    if (rest.length > 0) headers.cookie = rest.join('; ')
    else delete headers.cookie
    return given !== undefined && sameToken(token, given.slice(COOKIE.length + 1))
  }

  private sign(what: 'host' | 'token', { learner = '', step }: PlaceOfPage): string {
    return createHmac('sha256', this.secret)
      .update(JSON.stringify([what, learner, step]))
      .digest('hex')
  }
}
