package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// documents returns the files of docs/events: a JSON Schema (draft 2020-12) for
// the payload of each subject, and a page that tells who says what to whom.
// source is the folder of package events' code, where the descriptions stand.
func documents(source string) (map[string][]byte, error) {
	r := &jsonschema.Reflector{DoNotReference: true, AllowAdditionalProperties: true}
	if err := r.AddGoComments("github.com/phoenix-platform/phoenix/pkg/events", source, jsonschema.WithFullComment()); err != nil {
		return nil, fmt.Errorf("read the comments of the payloads: %w", err)
	}
	r.CommentMap = shorten(r.CommentMap)
	files := map[string][]byte{}
	for _, s := range events.Contract() {
		schema := r.Reflect(s.Payload)
		schema.ID = jsonschema.ID("phoenix:" + s.Name() + ":v1")
		schema.Title = s.Name()
		raw, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", s.Name(), err)
		}
		files[s.Name()+".schema.json"] = append(raw, '\n')
	}
	files["README.md"] = []byte(page())
	return files, nil
}

// shorten makes the keys of the comments those of the package's import path,
// whatever folder they were read from.
func shorten(comments map[string]string) map[string]string {
	out := make(map[string]string, len(comments))
	for key, text := range comments {
		if i := strings.LastIndex(key, "/"); i >= 0 {
			key = "github.com/phoenix-platform/phoenix/pkg/events" + key[i+strings.Index(key[i:], "."):]
		}
		out[key] = strings.ReplaceAll(text, "\n", " ")
	}
	return out
}

// page tells who says what to whom.
func page() string {
	var b strings.Builder
	b.WriteString("# What is said on the bus\n\n" +
		"Generated from `pkg/events/contract.go` by `make generate`. Each subject links to the JSON Schema of its payload.\n\n" +
		"Where several may speak, the server adds the speaker's name as a third token: what a person publishes on\n" +
		"`service.registered` is stored as `service.registered.ops`.\n\n" +
		"| subject | who says it | who has a durable consumer | what it says |\n|---|---|---|---|\n")
	for _, s := range events.Contract() {
		fmt.Fprintf(&b, "| [`%[1]s`](%[1]s.schema.json) | %[2]s | %[3]s | %[4]s |\n", s.Name(), join(s.Speakers), join(s.Listeners), s.Doc)
	}
	b.WriteString("\n## Streams\n\n| stream | subjects |\n|---|---|\n")
	for _, c := range events.Streams() {
		fmt.Fprintf(&b, "| %s | `%s` |\n", c.Name, strings.Join(c.Subjects, "` `"))
	}
	b.WriteString("\n## Buckets\n\n| bucket | who writes it | who else reads it |\n|---|---|---|\n")
	for _, k := range events.Buckets() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", k.Name, k.Writer, join(append([]events.Identity{events.Ops}, k.Readers...)))
	}
	return b.String()
}

func join(list []events.Identity) string {
	if len(list) == 0 {
		return "–"
	}
	names := make([]string, len(list))
	for i, id := range list {
		names[i] = string(id)
	}
	return strings.Join(names, ", ")
}
