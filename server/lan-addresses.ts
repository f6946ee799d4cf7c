import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

/** IPv4 addresses of this machine that others on its networks can reach; all-IPv6 networks get none. */
export function lanAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): string[] {
  return Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .filter((info) => info.family === 'IPv4' && !info.internal && !info.address.startsWith('169.254.'))
    .map((info) => info.address);
}
