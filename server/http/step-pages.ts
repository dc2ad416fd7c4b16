import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'httpxy'
import { sameToken } from './token.ts'

/** Identifies the page of a step: of a learner, or of the talk if there is none. */
export interface StepPageId {
  learner: string | undefined
  step: string
}

/** The query parameter that gives a browser access to a page. It is exchanged for the cookie at once. */
const PARAMETER = 'understudy-page'
/** The cookie of that browser. The prefix binds it to the page's own host and to TLS. */
const COOKIE = '__Host-understudy-page'

/** Stands for the `*` of the pattern, which a URL cannot contain. */
const WILDCARD = 'any'

/**
 * The pages of steps for browsers on other machines. Each page has a host of its own behind the reverse proxy that
 * serves the deck. So it finds its files below `/` as it does on this machine, and its origin differs from the deck's
 * and from that of every other page.
 */
export class StepPages {
  private readonly pattern: URL
  private readonly findPage: (page: StepPageId) => string | undefined
  private readonly pagesByHost = new Map<string, StepPageId>()
  private readonly secret = randomBytes(32)
  private readonly proxy = createProxyServer({ changeOrigin: true })

  /**
   * @param pattern `https://*.<domain>`: the origins of the pages
   * @param findPage the URL at which a step serves its page on this machine; undefined if it does not serve one now
   */
  constructor(pattern: string, findPage: (page: StepPageId) => string | undefined) {
    this.pattern = new URL(pattern.replace('*', WILDCARD))
    this.findPage = findPage
  }

  /** A link that gives a browser access to a page; undefined if the step does not serve one now. */
  link(page: StepPageId): string | undefined {
    const local = this.findPage(page)
    if (local === undefined) return undefined
    const host = this.pattern.host.replace(WILDCARD, this.sign('host', page).slice(0, 32))
    this.pagesByHost.set(host, page)
    const { pathname, searchParams } = new URL(local)
    searchParams.set(PARAMETER, this.sign('token', page))
    return `${this.pattern.protocol}//${host}${pathname}?${searchParams.toString()}`
  }

  /** Whether a request is for the host of a page, even of an unknown one. */
  matches({ headers: { host = '' } }: IncomingMessage): boolean {
    return domainOf(host) === domainOf(this.pattern.host)
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number, text: string) => {
      response
        .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Referrer-Policy': 'no-referrer' })
        .end(`${text}\n`)
    }
    const { host = '' } = request.headers
    const page = this.pagesByHost.get(host)
    const url = this.urlOf(request)
    if (!page || !url) return answer(404, 'Page not found. Open it from its slide.')
    const token = this.sign('token', page)
    const given = url.searchParams.get(PARAMETER)
    if (given !== null && sameToken(token, given)) {
      url.searchParams.delete(PARAMETER)
      response
        .writeHead(303, {
          Location: `${this.pattern.protocol}//${host}${url.pathname}${url.search}`,
          'Referrer-Policy': 'no-referrer',
          'Set-Cookie': `${COOKIE}=${token}; HttpOnly; Secure; SameSite=Strict; Path=/`,
        })
        .end()
      return
    }
    if (!this.takeCookie(request, token)) return answer(401, 'Access denied. Open this page from its slide.')
    const target = this.findPage(page)
    if (target === undefined)
      return answer(503, 'The step does not serve a page at the moment. Run it, then reload this page.')
    this.proxy.web(request, response, { target: new URL(target).origin }).catch(() => {
      if (response.headersSent) response.destroy()
      else answer(502, "The page did not respond. See the output in the step's terminal.")
    })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { host = '', origin } = request.headers
    const page = this.pagesByHost.get(host)
    const target = page && this.findPage(page)
    const sameOrigin = origin === `${this.pattern.protocol}//${host}`
    // An upgraded connection of an HTTP server is a socket.
    if (
      !page ||
      target === undefined ||
      !sameOrigin ||
      !(socket instanceof Socket) ||
      !this.takeCookie(request, this.sign('token', page))
    )
      return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    this.proxy.ws(request, socket, { target: new URL(target).origin }, head).catch(() => socket.destroy())
  }

  private urlOf({ url }: IncomingMessage): URL | undefined {
    if (!url?.startsWith('/') || !URL.canParse(url, this.pattern.origin)) return undefined
    return new URL(url, this.pattern.origin)
  }

  /** Checks the cookie and removes it from the request: it does not concern the page. */
  private takeCookie({ headers }: IncomingMessage, token: string): boolean {
    const cookies = (headers.cookie ?? '').split(/;\s*/)
    const given = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))
    const others = cookies.filter((cookie) => cookie !== given && cookie !== '')
    if (others.length > 0) headers.cookie = others.join('; ')
    else delete headers.cookie
    return given !== undefined && sameToken(token, given.slice(COOKIE.length + 1))
  }

  private sign(purpose: 'host' | 'token', { learner = '', step }: StepPageId): string {
    return createHmac('sha256', this.secret)
      .update(JSON.stringify([purpose, learner, step]))
      .digest('hex')
  }
}

/** A host without its first label. */
function domainOf(host: string): string {
  return host.slice(host.indexOf('.'))
}
