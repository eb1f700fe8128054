module github.com/phoenix-platform/phoenix/services/gateway

go 1.26

require github.com/phoenix-platform/phoenix/pkg v0.0.0

replace github.com/phoenix-platform/phoenix/pkg => ../../pkg
