package binaries

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	// TraefikVersion is the version of Traefik that tools/traefik builds.
	TraefikVersion = "3.6.12"
	// TraefikRecipe is the beginning of the digest of the recipe that it builds
	// from. A changed recipe is another place in the cache, so nobody takes an
	// older build for a newer one. A test of tools/traefik holds the two together.
	TraefikRecipe = "beb931852447"
)

// Cache returns the folder of everything that can be fetched or built again:
// "phoenix" below $XDG_CACHE_HOME or ~/.cache.
func Cache() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set HOME or XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(base, "phoenix"), nil
}

// TraefikCache returns the path at which tools/traefik leaves its build,
// whether or not there is one.
func TraefikCache() (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "traefik", TraefikVersion+"-"+TraefikRecipe, "traefik"), nil
}
