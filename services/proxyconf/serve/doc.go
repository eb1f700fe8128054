// Package serve makes Traefik serve what the book says, and tells what it saw.
//
// Each reconciler owns one part and runs by itself: it compares wish and world,
// acts, and rings the bell of those that go on from there. None of them gives up:
// what can't be done now is tried again with growing pauses.
//
//	Life          Traefik's process: the proof that the CA issues, static configuration, start
//	Backends      how each service's backend is reached, and whether it can be verified
//	Routes        the dynamic configuration, until Traefik's API shows it: proxy.applied
//	Certificates  Traefik's certificates: which pairs there are, which serials it shows
//	Handover      sealed pairs for the gateway: gateway.certificate
//	States        what became of each service: service.ready, service.failed, proxy.ready
package serve
