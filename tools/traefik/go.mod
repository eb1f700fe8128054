module github.com/phoenix-platform/phoenix/tools/traefik

go 1.26.0

require (
	github.com/gofrs/flock v0.13.2
	github.com/phoenix-platform/phoenix/pkg v0.0.0
	golang.org/x/mod v0.42.0
	golang.org/x/term v0.47.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/phoenix-platform/phoenix/pkg => ../../pkg
