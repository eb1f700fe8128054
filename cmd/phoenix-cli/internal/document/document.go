package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/plan"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/shellenv"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/importer"
)

// outputs names what scripts read: the command, and the value it prints.
func outputs() map[string]any {
	return map[string]any{
		"status":           view.Status{},
		"services":         []view.Service{},
		"certs":            []view.Cert{},
		"deadletters-list": []view.DeadLetter{},
		"deadletters-show": view.DeadLetterDetail{},
		"env":              shellenv.Env{},
		"import":           importer.Result{},
		"plan":             plan.Plan{},
		"watch":            view.Event{},
	}
}

// documents returns a JSON Schema (draft 2020-12) for the output of each
// command under -o json. Fields may be added; those that are there stay.
func documents(root string) (map[string][]byte, error) {
	r := &jsonschema.Reflector{DoNotReference: true, AllowAdditionalProperties: true}
	for _, folder := range []string{
		"cmd/phoenix-cli/internal/plan", "cmd/phoenix-cli/internal/shellenv", "cmd/phoenix-cli/internal/view", "pkg/importer", "pkg/events",
	} {
		if err := comments(r, root, folder); err != nil {
			return nil, err
		}
	}
	files := map[string][]byte{}
	for name, value := range outputs() {
		schema := r.Reflect(value)
		schema.ID = jsonschema.ID("phoenix:cli:" + name + ":v1")
		schema.Title = "phoenix-cli " + strings.ReplaceAll(name, "-", " ") + " -o json"
		raw, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", name, err)
		}
		files[name+".schema.json"] = append(raw, '\n')
	}
	return files, nil
}

// comments reads the descriptions of a folder's types, under its import path
// whatever the working folder is.
func comments(r *jsonschema.Reflector, root, folder string) error {
	const module = "github.com/phoenix-platform/phoenix/"
	one := &jsonschema.Reflector{}
	if err := one.AddGoComments("x", root+"/"+folder, jsonschema.WithFullComment()); err != nil {
		return fmt.Errorf("read the comments of %s: %w", folder, err)
	}
	if r.CommentMap == nil {
		r.CommentMap = map[string]string{}
	}
	for key, text := range one.CommentMap {
		_, name, _ := strings.Cut(key[strings.LastIndex(key, "/")+1:], ".")
		r.CommentMap[module+folder+"."+name] = strings.ReplaceAll(text, "\n", " ")
	}
	return nil
}
