module github.com/phoenix-platform/phoenix/tools/traefik

go 1.26
