package main

import (
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

func TestRecipeIsWhatTheFinderLooksFor(t *testing.T) {
	got, err := recipeDigest()
	if err != nil {
		t.Fatal(err)
	}
	if got != binaries.TraefikRecipe {
		t.Errorf("the recipe's digest is %s, but binaries.TraefikRecipe is %s: change that constant to find what is built now", got, binaries.TraefikRecipe)
	}
}

func TestRecipeBuildsTheWantedVersion(t *testing.T) {
	content, err := recipeFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, r := range mod.Require {
		if r.Mod.Path == "github.com/traefik/traefik/v3" {
			got = r.Mod.Version
		}
	}
	if want := "v" + binaries.TraefikVersion; got != want {
		t.Errorf("the recipe requires Traefik %q, want %s", got, want)
	}
}

func TestRecipeVouchesForItsModules(t *testing.T) {
	content, err := recipeFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"github.com/traefik/traefik/v3 v" + binaries.TraefikVersion, legoModule + " "} {
		sum := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(module) + `\S* h1:`)
		if !sum.Match(content) {
			t.Errorf("the recipe's go.sum has no sum of %s", module)
		}
	}
}

func TestRecipeProviders(t *testing.T) {
	content, err := recipeFile("zz_gen_dns_providers.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "providers.go", content, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(path, legoModule+"/providers/dns/"); ok {
			got = append(got, name)
		}
	}
	want := []string{"acmedns", "exec", "httpreq", "manual", "rfc2136"}
	if !slices.Equal(got, want) {
		t.Errorf("the recipe has the DNS providers %v, want %v", got, want)
	}
}
