package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

const (
	// mainPackage is Traefik's command.
	mainPackage = "github.com/traefik/traefik/v3/cmd/traefik"
	// legoModule is Traefik's ACME library, built without most of its DNS
	// providers: they make up two thirds of the build's time.
	legoModule = "github.com/go-acme/lego/v4"
	// providersFile is the file of legoModule that knows all DNS providers.
	providersFile = "providers/dns/zz_gen_dns_providers.go"
	// buildVersion is what the build says that it is.
	buildVersion = binaries.TraefikVersion + "+phoenix"
	// digestLength is how many hexadecimal digits of the digest name a recipe.
	digestLength = 12
)

// recipeFiles are the module that Traefik is built in, and the file that
// replaces providersFile. Their names end in .txt to keep the go command from
// taking the folder for a module of this project.
//
//go:embed recipe
var recipeFiles embed.FS

// recipeNames lists the files of the recipe.
func recipeNames() []string {
	return []string{"go.mod", "go.sum", "zz_gen_dns_providers.go"}
}

// recipeFile returns the content of a file of the recipe.
func recipeFile(name string) ([]byte, error) {
	content, err := recipeFiles.ReadFile("recipe/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("read the recipe: %w", err)
	}
	return content, nil
}

// buildFlags are the flags of the go command that decide on the result. With
// -mod=readonly nothing is built that the recipe's go.sum does not vouch for.
func buildFlags() []string {
	return []string{
		"-mod=readonly",
		"-trimpath",
		"-buildvcs=false",
		"-ldflags=-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=" + buildVersion,
	}
}

// recipeDigest names the recipe by its content: the files and the flags.
func recipeDigest() (string, error) {
	sum := sha256.New()
	for _, name := range recipeNames() {
		content, err := recipeFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
	}
	fmt.Fprintln(sum, strings.Join(buildFlags(), "\n"))
	return hex.EncodeToString(sum.Sum(nil))[:digestLength], nil
}

// writeModule lays the recipe's module out in a folder.
func writeModule(folder string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := writeRecipeFile(name, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeRecipeFile writes a file of the recipe to path.
func writeRecipeFile(name, path string) error {
	content, err := recipeFile(name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write the recipe: %w", err)
	}
	return nil
}
