module github.com/phoenix-platform/phoenix/services/proxyconf

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/google/renameio/v2 v2.0.2
	github.com/phoenix-platform/phoenix/pkg v0.0.0
	github.com/traefik/genconf v0.5.2
	go.uber.org/goleak v1.3.0
	golang.org/x/crypto v0.58.0
)

require (
	github.com/nats-io/nkeys v0.4.17 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/phoenix-platform/phoenix/pkg => ../../pkg
