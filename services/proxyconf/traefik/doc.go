// Package traefik is how proxyconf speaks to Traefik: the static configuration
// that Traefik reads at its start, the dynamic configuration that it watches, the
// files around them, and its API.
//
// Both configurations are marshalled from typed values, and every name in them
// comes from a validated service name. Traefik renders the dynamic one as a
// template, so nothing with "{{" is ever written.
package traefik
