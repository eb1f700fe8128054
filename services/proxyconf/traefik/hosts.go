package traefik

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/traefik/genconf/dynamic"
)

// RoutedHosts returns the hosts in the dynamic configuration that lies in the
// folder.
func (f Folder) RoutedHosts() (map[string]bool, error) {
	content, err := os.ReadFile(f.dynamicFile())
	if err != nil {
		return nil, fmt.Errorf("read Traefik's dynamic configuration: %w", err)
	}
	var config dynamic.Configuration
	if err := yaml.Unmarshal(content, &config); err != nil {
		return nil, fmt.Errorf("read Traefik's dynamic configuration: %w", err)
	}
	hosts := map[string]bool{}
	if config.HTTP == nil {
		return hosts, nil
	}
	for _, r := range config.HTTP.Routers {
		if r == nil || r.TLS == nil {
			continue
		}
		for _, d := range r.TLS.Domains {
			hosts[d.Main] = true
		}
	}
	return hosts, nil
}
