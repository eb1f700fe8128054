package traefik

import (
	"fmt"
	"os"
	"regexp"

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
	rule := regexp.MustCompile("Host\\(`([^`]+)`\\)")
	for _, r := range config.HTTP.Routers {
		if r == nil {
			continue
		}
		for _, match := range rule.FindAllStringSubmatch(r.Rule, -1) {
			hosts[match[1]] = true
		}
	}
	return hosts, nil
}
