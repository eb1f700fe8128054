// Package version tells which build this is.
package version

import "runtime/debug"

// Version is set by the build: -ldflags "-X …/pkg/version.Version=v1.2.3".
var Version string

// String returns the version of the build: what the build set, else the
// module's version or the commit that the toolchain recorded, else "devel".
func String() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "devel"
}
