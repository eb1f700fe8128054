// Package version tells which build of Phoenix a program is.
package version

import "runtime/debug"

// Version is set by the linker: -X github.com/phoenix-platform/phoenix/pkg/version.Version=…
// It is empty in a program that was built without the Makefile; use [String].
var Version string //nolint:gochecknoglobals // the linker can set nothing else

// String returns the version that the program was built as: the linker's, else
// the one that the go command recorded, else "devel".
func String() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return recorded(info)
}

const (
	// devel is the version of a build that nothing was recorded of.
	devel = "devel"
	// revisionLength is how many digits of a commit are told.
	revisionLength = 12
)

// recorded returns what the go command recorded of the build: the version of
// the main module, else the commit.
func recorded(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return devel
	}
	return revision[:min(len(revision), revisionLength)] + dirty
}
