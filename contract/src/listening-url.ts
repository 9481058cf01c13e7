/**
 * A URL under which somebody on this machine reaches what listens on a host and port: an address that stands for
 * all interfaces becomes the loopback address, and IPv6 addresses get their brackets.
 */
export function listeningUrl(host: string, port: number, scheme: 'http' | 'https' = 'http'): string {
  switch (host) {
    case '0.0.0.0':
      return `${scheme}://127.0.0.1:${port}`;
    case '::':
      return `${scheme}://[::1]:${port}`;
    default:
      return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}
