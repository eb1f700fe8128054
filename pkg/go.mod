module github.com/phoenix-platform/phoenix/pkg

go 1.26
