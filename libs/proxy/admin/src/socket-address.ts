/** Envoy's `envoy.config.core.v3.Address`. */
export function addressJson(address: string, port: number): object {
  return { socket_address: { address: address.replace(/^\[(.*)\]$/, "$1"), port_value: port } };
}
