module github.com/phoenix-platform/phoenix/test

go 1.26.0

require github.com/phoenix-platform/phoenix/pkg v0.0.0

require golang.org/x/mod v0.42.0 // indirect

replace github.com/phoenix-platform/phoenix/pkg => ../pkg
