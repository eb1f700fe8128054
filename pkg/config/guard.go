package config

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFile is the largest configuration that is read, in bytes.
	maxFile = 1 << 20
	// maxDepth is the deepest nesting of [ ] and { }.
	maxDepth = 16
	// maxColumn bounds nesting by indentation: each level needs a column.
	maxColumn = 64
)

// guard looks at the tokens before the parser builds anything from them, and
// returns what is not allowed at all: constructs that a configuration has no use
// for, and that can make a small file explode or a parser run out of stack.
func guard(raw []byte) (token.Tokens, *FieldError) {
	if len(raw) > maxFile {
		return nil, fault("", "larger than %d bytes", maxFile)
	}
	tokens := lexer.Tokenize(string(raw))
	depth, line := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		first := t.Position.Line != line
		line = t.Position.Line
		if msg := refuseToken(t, depth, first); msg != "" {
			return nil, &FieldError{Line: t.Position.Line, Column: t.Position.Column, Message: msg}
		}
	}
	return tokens, nil
}

// refuseToken says why a token is not allowed; empty when it is.
func refuseToken(t *token.Token, depth int, firstOfLine bool) string {
	indents := t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType || firstOfLine
	switch {
	case t.Type == token.AnchorType, t.Type == token.AliasType, t.Type == token.MergeKeyType:
		return "anchors, aliases and merge keys are not supported: write the value out"
	case t.Type == token.TagType, t.Type == token.DirectiveType:
		return "tags and directives are not supported"
	case depth > maxDepth:
		return "nested too deeply"
	case indents && t.Type != token.CommentType && t.Position.Column > maxColumn:
		return "indented too far"
	}
	return ""
}
