// Package nginx commands one nginx: it writes its configuration, places the
// certificates that it shows, starts and reloads it, and looks at what it
// serves.
//
// Hosts are no part of the configuration. nginx has one server for all of them
// and reads the pair of a host from a file named after it, at each handshake.
// So adding, renewing or removing a host changes files and reloads nothing; a
// reload is for the rare change of structure: listening addresses, Traefik's
// address, the root that Traefik is verified against.
//
// All of nginx's files lie below one folder, its prefix, and the configuration
// names them relative to it:
//
//	nginx.conf         what serves
//	nginx.conf.former  what served before
//	applied            digest of the nginx.conf that nginx was told to read
//	root-<digest>.pem  root that Traefik is verified against
//	pairs/even, odd    certificates with their keys, one file per host
//	empty              the document root; stays empty
//	tmp                nginx's temporary files
package nginx
